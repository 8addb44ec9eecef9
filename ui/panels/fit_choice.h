// Whether a model is fitted to its format, and how long it is trained after that.
#pragma once

#include <QWidget>

#include "ui/models/export_choice.h"

class QCheckBox;
class QSpinBox;

namespace ladimo::ui {

class FitChoice : public QWidget {
  Q_OBJECT
 public:
  explicit FitChoice(QWidget* parent = nullptr);

  /// Offers what the format allows. A fit is proposed where nothing else can write the model.
  void offer(const ExportChoice& choice);
  bool fit() const;
  /// Passes of training after the fit; 0 without a fit.
  int passes() const;

 signals:
  void changed();

 private:
  QCheckBox* fit_;
  QSpinBox* passes_;
};

}  // namespace ladimo::ui
