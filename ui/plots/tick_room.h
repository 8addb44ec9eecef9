// How many labels of an axis fit beside each other.
#pragma once

#include <QSharedPointer>

class QCPAxis;
class QCPAxisTicker;
class QString;

namespace ladimo::ui {

/// The part of a horizontal axis that a label of this text takes up, with the gap to the next one. It is 1
/// before the axis has a size.
double label_share(const QCPAxis& axis, const QString& text);

/// Whole numbers from 0, at most five of them and as many as there is room for. `axis` must outlive it.
QSharedPointer<QCPAxisTicker> whole_number_ticker(const QCPAxis& axis);

}  // namespace ladimo::ui
