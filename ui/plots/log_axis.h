// Decades on an axis, written as powers of ten.
#pragma once

class QCPAxis;

namespace ladimo::ui {

/// Logarithmic, ticks at 10⁻², 10⁻¹ ... and the given range widened to whole decades.
void set_log_axis(QCPAxis& axis, double low, double high);

}  // namespace ladimo::ui
