// One way of writing numbers in the whole window.
#pragma once

namespace ladimo::ui {

/// Axes and fields write "1,234.5" from now on, as tables and sentences do (base/format.h), whatever the
/// system's language is.
void use_number_format();

}  // namespace ladimo::ui
