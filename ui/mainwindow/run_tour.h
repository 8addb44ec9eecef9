// What the tour of an open run says.
#pragma once

#include <vector>

#include "ui/mainwindow/tour.h"

namespace ladimo::ui {

/// Precondition: `run` shows the page of its policy.
std::vector<TourStop> stops_of_run(const QWidget& run);

}  // namespace ladimo::ui
