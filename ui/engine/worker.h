// Work that takes longer than a frame, on a thread of its own. Errors end at its edge.
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

/// One work at a time: a new one asks the one before to stop, and what that still answers is dropped.
class Worker : public QObject {
  Q_OBJECT
 public:
  using Failed = std::function<void(const std::vector<Problem>&)>;

  explicit Worker(QObject* parent = nullptr) : QObject(parent) {}
  /// Asks the work to stop and waits for that.
  ~Worker() override;

  /// Does `work` on a thread; then, on this one, `done` with its answer or `failed` with what was wrong.
  /// `work` shares nothing with this thread but what is const, and calls Context::check often.
  template <class T>
  void run(std::function<T(const Context&)> work, std::function<void(T)> done, Failed failed) {
    start(
        [work = std::move(work), done = std::move(done)](const Context& context) -> Delivery {
          return [done, answer = work(context)] { done(answer); };
        },
        std::move(failed));
  }
  /// Nothing that runs is wanted any more.
  void stop();
  bool running() const { return task_ != nullptr; }

 signals:
  /// 0 ... 1 of the work that runs, where it says so.
  void progressed(double share);

 private:
  struct Task {
    std::atomic<bool> canceled = false;
    std::thread thread;
  };
  using Delivery = std::function<void()>;

  void start(std::function<Delivery(const Context&)> work, Failed failed);
  void finish(const std::shared_ptr<Task>& task, const Delivery& delivery);

  std::shared_ptr<Task> task_;                // whose answer is wanted
  std::vector<std::shared_ptr<Task>> tasks_;  // all that have not ended
};

}  // namespace ladimo::ui
