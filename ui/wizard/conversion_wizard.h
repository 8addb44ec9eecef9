// New conversion: from a checkpoint to a run, page by page.
#pragma once

#include <QWizard>

#include "ui/wizard/conversion_job.h"
#include "ui/wizard/experts_page_config.h"
#include "ui/wizard/model_page_config.h"
#include "ui/wizard/partition_sampler.h"
#include "ui/wizard/summary_page_config.h"
#include "ui/wizard/text_page_config.h"

namespace ladimo::ui {

class DistillationPage;
class RunOpening;
class StepSidebar;

class ConversionWizard : public QWizard {
  Q_OBJECT
 public:
  explicit ConversionWizard(Engine engine, QWidget* parent = nullptr);
  ~ConversionWizard() override;
  /// Opens an interrupted run at the last page. Nothing runs until the person continues it.
  static ConversionWizard* resume(Engine engine, const QString& run, QWidget* parent = nullptr);

  const Engine& engine() const { return engine_; }
  void set_model(const QString& model);
  /// Chooses text that the model writes itself.
  void use_own_text();
  /// Whether a conversion is running. Closing asks first then.
  bool busy() const { return job_.running(); }

  /// Called by Escape, the close button and Cancel. Asks in the page while a conversion is running.
  void reject() override;
  void accept() override;

 signals:
  /// The person opens the finished run.
  void run_finished(const QString& folder);
  /// A conversion into this folder has started.
  void conversion_started(const QString& folder);

 private:
  enum Page { model_page, text_page, experts_page, summary_page, distillation_page };

  void connect_configs();
  void enter(int page);
  void begin();
  void start();
  void open_run(std::unique_ptr<RunOpening> opening);
  void tell_end();

  Engine engine_;
  ModelPageConfig model_;
  TextPageConfig text_;
  ExpertsPageConfig experts_;
  SummaryPageConfig summary_;
  PartitionSampler sampler_;
  ConversionJob job_;
  std::unique_ptr<RunOpening> opening_;
  StepSidebar* sidebar_;
  DistillationPage* distillation_;
};

}  // namespace ladimo::ui
