// Read-only pages about how a run was made: the first four steps of the breadcrumb.
#pragma once

#include "ui/models/run_data.h"

class QWidget;

namespace ladimo::ui {

QWidget* model_facts_page(const RunData& run);
QWidget* text_facts_page(const RunData& run);
QWidget* experts_facts_page(const RunData& run);
QWidget* distil_facts_page(const RunData& run);

}  // namespace ladimo::ui
