#include "ui/engine/worker.h"

#include <algorithm>
#include <exception>

namespace ladimo::ui {
namespace {

std::vector<Problem> problems_of(const std::exception& exception) {
  if (const auto* refusal = dynamic_cast<const Refusal*>(&exception))
    if (!refusal->problems().empty()) return refusal->problems();
  if (const auto* error = dynamic_cast<const Error*>(&exception)) return {error->problem()};
  return {{exception.what(), {}, {}}};
}

}  // namespace

Worker::~Worker() {
  stop();
  for (const auto& task : tasks_) task->thread.join();
}

void Worker::stop() {
  if (task_) task_->canceled = true;
  task_.reset();
}

void Worker::start(std::function<Delivery(const Context&)> work, Failed failed) {
  stop();
  const auto task = task_ = std::make_shared<Task>();
  tasks_.push_back(task);
  task->thread = std::thread([this, task, work = std::move(work), failed = std::move(failed)] {
    const auto report = [this, task](const Event& event) {
      const auto* progress = std::get_if<ProgressEvent>(&event);
      if (!progress || progress->total <= 0) return;
      const double share = static_cast<double>(progress->done) / static_cast<double>(progress->total);
      QMetaObject::invokeMethod(this, [this, task, share] {
        if (task == task_) emit progressed(share);
      });
    };
    Delivery delivery;
    try {
      delivery = work(Context(report, &task->canceled));
    } catch (const std::exception& exception) {
      delivery = [failed, problems = problems_of(exception)] { failed(problems); };
    }
    QMetaObject::invokeMethod(this, [this, task, delivery] { finish(task, delivery); });
  });
}

void Worker::finish(const std::shared_ptr<Task>& task, const Delivery& delivery) {
  task->thread.join();
  std::erase(tasks_, task);
  if (task != task_) return;
  task_.reset();
  delivery();
}

}  // namespace ladimo::ui
