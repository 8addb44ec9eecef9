// The terms that the window uses, each explained once.
#pragma once

#include <QString>

namespace ladimo::ui {

/// All of them as rich text. Each is explained with terms that come before it.
QString terms_html();

}  // namespace ladimo::ui
