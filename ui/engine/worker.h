// Runs work that takes longer than a frame on a thread of its own. Exceptions do not leave that thread.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include <QObject>

#include "base/context.h"
#include "base/error.h"

namespace ladimo::ui {

/// Does one piece of work at a time. A new one asks the previous one to stop and drops its answer.
class Worker : public QObject {
  Q_OBJECT
 public:
  using Failed = std::function<void(const std::vector<Problem>&)>;

  explicit Worker(QObject* parent = nullptr) : QObject(parent) {}
  /// Asks the work to stop and waits until it has.
  ~Worker() override;

  /// Runs `work` on another thread; then calls, on this thread, `done` with the answer or `failed` with the
  /// problems.
  /// `work` shares only const data with this thread, and calls Context::check often.
  template <class T>
  void run(std::function<T(const Context&)> work, std::function<void(T)> done, Failed failed) {
    start(
        [work = std::move(work), done = std::move(done)](const Context& context) -> Delivery {
          return [done, answer = work(context)] { done(answer); };
        },
        std::move(failed));
  }
  /// Drops the answer of the work that is running and asks it to stop.
  void stop();
  bool running() const { return task_ != nullptr; }

 signals:
  /// How much of the running work is done, 0 ... 1, if it reports that.
  void progressed(double share);

 private:
  struct Task {
    std::atomic<bool> canceled = false;
    std::thread thread;
  };
  using Delivery = std::function<void()>;

  void start(std::function<Delivery(const Context&)> work, Failed failed);
  void finish(const std::shared_ptr<Task>& task, const Delivery& delivery);

  std::shared_ptr<Task> task_;                // the task whose answer is wanted
  std::vector<std::shared_ptr<Task>> tasks_;  // all tasks that have not ended
};

}  // namespace ladimo::ui
