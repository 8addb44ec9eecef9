// How many labels of an axis fit beside each other.
#pragma once

class QCPAxis;
class QString;

namespace ladimo::ui {

/// The part of a horizontal axis that a label of this text takes up, with the gap to the next one. It is 1
/// before the axis has a size.
double label_share(const QCPAxis& axis, const QString& text);

}  // namespace ladimo::ui
