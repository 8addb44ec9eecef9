// The legend of the tint behind the tokens.
#pragma once

#include <QString>
#include <QWidget>

namespace ladimo::ui {

class TintLegend : public QWidget {
  Q_OBJECT
 public:
  explicit TintLegend(QWidget* parent = nullptr);
  /// Sets the words at both ends of the ramp.
  void set_ends(const QString& few, const QString& many);
  QSize sizeHint() const override;

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  int ramp_width() const;

  QString few_, many_;
};

}  // namespace ladimo::ui
