// A logarithmic axis with plain numbers.
#pragma once

#include <QSharedPointer>

class QCPAxis;
class QCPAxisTicker;

namespace ladimo::ui {

/// Ticks at 0.1, 0.2, 0.5, 1 ... over few decades; at powers of ten over many.
QSharedPointer<QCPAxisTicker> log_ticker();
/// Gives the axis a logarithmic scale, log_ticker and the range with a margin.
void set_log_axis(QCPAxis& axis, double low, double high);

}  // namespace ladimo::ui
