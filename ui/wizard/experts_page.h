#pragma once

#include "ui/wizard/wizard_page.h"

class QComboBox;
class QCheckBox;
class QGridLayout;
class QLabel;
class QLineEdit;
class QSpinBox;
class QToolButton;

namespace ladimo::ui {

class ExpertsPageConfig;
class Note;
class PartitionPicture;
class PartitionSampler;
class TextPageConfig;

/// Page 3: the settings with a sentence for each, the partition of a layer, and live estimates.
class ExpertsPage : public WizardPage {
  Q_OBJECT
 public:
  ExpertsPage(ExpertsPageConfig& config, const TextPageConfig& text, PartitionSampler& sampler,
              QWidget* parent = nullptr);
  bool isComplete() const override;

 protected:
  void showEvent(QShowEvent* event) override;
  void changeEvent(QEvent* event) override;

 private:
  QWidget* make_knobs();
  QWidget* make_advanced();
  QWidget* make_picture();
  QWidget* make_estimates();
  void show_config();
  void show_knobs();
  void show_estimates();
  void show_picture();
  void offer_layers();
  void ask_for_partition();
  QString reason() const;

  ExpertsPageConfig& config_;
  const TextPageConfig& text_;
  PartitionSampler& sampler_;
  QSpinBox *experts_, *shared_, *window_, *seed_, *epochs_;
  QLineEdit* layers_;
  QComboBox *target_, *sensitivity_;
  QCheckBox *compensation_, *refit_, *distil_;
  QToolButton* fold_;
  PartitionPicture* picture_;
  QComboBox* sampled_;
  QLabel *activated_, *ram_, *disk_, *time_;
  Note* reason_;
};

}  // namespace ladimo::ui
