// The tables of a run as CSV, with all digits: for other programs to read.
#pragma once

#include <vector>

#include <QString>

#include "ui/models/policy_editor.h"

namespace ladimo::ui {

struct CsvFile {
  QString name;  // "layers.csv"
  QString text;
};

/// layers.csv: every layer under the chosen policy; ladder.csv: every candidate of every layer;
/// histogram.csv: the routing weights; latency.csv: the measured times. Tables that the run does not have are
/// left out.
std::vector<CsvFile> tables_as_csv(const PolicyEditor& editor);

}  // namespace ladimo::ui
