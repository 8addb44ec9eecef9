// The text of a report for somebody who looks for a fault.
#pragma once

#include <QString>
#include <QStringList>

#include "ui/models/fact.h"
#include "ui/models/personal.h"

namespace ladimo::ui {

struct RunData;

struct ReportSection {
  QString title;
  Facts facts;
  QStringList lines = {};
};

/// What a run is made of, without its name and its folders.
Facts anonymous_facts(const RunData& run);
/// What was changed in the settings.
Facts changed_settings_facts();

/// The sections as plain text, without anything personal.
QString report_text(const std::vector<ReportSection>& sections, const Personal& personal);

}  // namespace ladimo::ui
