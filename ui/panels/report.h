// A report of a run as PDF.
#pragma once

#include <QString>

namespace ladimo::ui {

class PolicyEditor;

/// Writes a PDF (A4, light colours, numbered pages) with the recipe, predicted and measured numbers, the
/// frontier, every layer's policy and every converted layer's routing weights. Replaces the file atomically.
/// Returns what went wrong and what to do, or nothing.
QString write_report(PolicyEditor& editor, const QString& path);

}  // namespace ladimo::ui
