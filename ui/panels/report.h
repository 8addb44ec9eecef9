// A run on paper: what was made, how it was decided, what it costs and what it changes.
#pragma once

#include <QString>

namespace ladimo::ui {

class PolicyEditor;

/// Writes a PDF (A4, light colours, numbered pages): recipe, predicted and measured numbers, frontier, policy
/// of every layer, routing weights of every converted layer. Replaces the file atomically. What went wrong
/// and what to do; empty when saved.
QString write_report(PolicyEditor& editor, const QString& path);

}  // namespace ladimo::ui
