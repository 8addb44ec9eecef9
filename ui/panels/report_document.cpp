#include "ui/panels/report_document.h"

#include <QAbstractTextDocumentLayout>
#include <QPageLayout>
#include <QPainter>
#include <QPdfWriter>
#include <QTextObjectInterface>
#include <QTextTable>

#include "ui/plots/plot.h"

namespace ladimo::ui {
namespace {

constexpr int dots_per_inch = 300;
constexpr double margin_mm = 18;
constexpr double points = 9.5;  // font size
constexpr int plot_type = QTextFormat::UserObject;
enum Property { which_plot = QTextFormat::UserProperty, width_share, height_share };

/// Lays out a plot in the text like a character.
class PlotObject : public QObject, public QTextObjectInterface {
  Q_OBJECT
  Q_INTERFACES(QTextObjectInterface)
 public:
  explicit PlotObject(const std::vector<std::unique_ptr<Plot>>& plots) : plots_(plots) {}

  QSizeF intrinsicSize(QTextDocument* document, int, const QTextFormat& format) override {
    const double page = document->pageSize().width();
    return {page * format.doubleProperty(width_share), page * format.doubleProperty(height_share)};
  }
  void drawObject(QPainter* painter, const QRectF& rect, QTextDocument*, int,
                  const QTextFormat& format) override {
    plots_[static_cast<std::size_t>(format.intProperty(which_plot))]->paint(*painter, rect);
  }

 private:
  const std::vector<std::unique_ptr<Plot>>& plots_;
};

QTextCharFormat letters(double size, bool bold) {
  QTextCharFormat format;
  format.setFontPointSize(size);
  format.setFontWeight(bold ? QFont::DemiBold : QFont::Normal);
  return format;
}

QTextBlockFormat block(double above, double below) {
  QTextBlockFormat format;
  format.setTopMargin(above);
  format.setBottomMargin(below);
  return format;
}

}  // namespace

ReportDocument::ReportDocument() : cursor_(&document_) {
  QFont font = document_.defaultFont();
  font.setPointSizeF(points);
  document_.setDefaultFont(font);
  document_.setDocumentMargin(0);
}

ReportDocument::~ReportDocument() = default;

void ReportDocument::title(const QString& text) {
  cursor_.setBlockFormat(block(0, 4));
  cursor_.insertText(text, letters(1.7 * points, true));
}

void ReportDocument::heading(const QString& text, bool new_page) {
  QTextBlockFormat format = block(new_page ? 0 : 16, 6);
  if (new_page) format.setPageBreakPolicy(QTextFormat::PageBreak_AlwaysBefore);
  cursor_.movePosition(QTextCursor::End);
  cursor_.insertBlock(format);
  cursor_.insertText(text, letters(1.35 * points, true));
}

void ReportDocument::paragraph(const QString& rich_text) {
  cursor_.movePosition(QTextCursor::End);
  cursor_.insertBlock(block(2, 4), letters(points, false));
  cursor_.insertHtml(rich_text);
}

void ReportDocument::table(const std::vector<QStringList>& rows, const std::vector<bool>& numbers) {
  cursor_.movePosition(QTextCursor::End);
  cursor_.insertBlock(block(0, 0), letters(points, false));
  QTextTableFormat format;
  format.setBorderStyle(QTextFrameFormat::BorderStyle_None);
  format.setBorder(0);
  format.setCellPadding(2.5);
  format.setCellSpacing(0);
  format.setHeaderRowCount(1);
  QTextTable* table =
      cursor_.insertTable(static_cast<int>(rows.size()), static_cast<int>(numbers.size()), format);
  for (int row = 0; row < table->rows(); ++row)
    for (int column = 0; column < table->columns(); ++column) {
      QTextTableCell cell = table->cellAt(row, column);
      QTextCharFormat look = cell.format();
      if (row == 0) look.setBackground(QColor(0xe8, 0xe8, 0xe8));
      cell.setFormat(look);
      QTextCursor at = cell.firstCursorPosition();
      QTextBlockFormat side;
      side.setAlignment(numbers[static_cast<std::size_t>(column)] ? Qt::AlignRight : Qt::AlignLeft);
      side.setNonBreakableLines(row > 0);
      side.setLeftMargin(4);
      side.setRightMargin(8);
      at.setBlockFormat(side);
      const QString& text = rows[static_cast<std::size_t>(row)][column];
      if (row == 0)
        at.insertText(text, letters(points, true));
      else
        at.insertHtml(text);
    }
}

void ReportDocument::plots(std::vector<std::unique_ptr<Plot>> plots, int columns, double height) {
  const int rows = (static_cast<int>(plots.size()) + columns - 1) / columns;
  cursor_.movePosition(QTextCursor::End);
  cursor_.insertBlock(block(0, 0));
  QTextTableFormat format;
  format.setBorderStyle(QTextFrameFormat::BorderStyle_None);
  format.setBorder(0);
  format.setCellPadding(3);
  format.setCellSpacing(0);
  QTextTable* table = cursor_.insertTable(rows, columns, format);
  for (std::size_t i = 0; i < plots.size(); ++i) {
    QTextCursor at =
        table->cellAt(static_cast<int>(i) / columns, static_cast<int>(i) % columns).firstCursorPosition();
    at.insertText(plots[i]->title() + QChar::LineSeparator, letters(points, true));
    QTextCharFormat picture;
    picture.setObjectType(plot_type);
    picture.setProperty(which_plot, static_cast<int>(plots_.size()));
    picture.setProperty(width_share, 0.97 / columns);
    picture.setProperty(height_share, height / 100);
    at.insertText(QString(QChar::ObjectReplacementCharacter), picture);
    plots_.push_back(std::move(plots[i]));
  }
}

bool ReportDocument::write(QIODevice& device, const QString& footer) {
  QPdfWriter pdf(&device);
  pdf.setResolution(dots_per_inch);
  pdf.setPageSize(QPageSize(QPageSize::A4));
  pdf.setPageMargins({margin_mm, margin_mm, margin_mm, margin_mm}, QPageLayout::Millimeter);
  pdf.setTitle(footer);
  PlotObject plot_object(plots_);
  document_.documentLayout()->registerHandler(plot_type, &plot_object);
  document_.documentLayout()->setPaintDevice(&pdf);
  QPainter painter;
  if (!painter.begin(&pdf)) return false;
  QFont small = document_.defaultFont();
  small.setPointSizeF(0.85 * points);
  painter.setFont(small);
  const double foot = 2 * painter.fontMetrics().height();
  const QSizeF page(pdf.width(), pdf.height() - foot);
  document_.setPageSize(page);
  QAbstractTextDocumentLayout::PaintContext context;
  context.palette.setColor(QPalette::Text, Qt::black);
  const int count = document_.pageCount();
  for (int i = 0; i < count; ++i) {
    if (i > 0) pdf.newPage();
    painter.save();
    painter.translate(0, -i * page.height());
    context.clip = QRectF(QPointF(0, i * page.height()), page);
    painter.setClipRect(context.clip);
    document_.documentLayout()->draw(&painter, context);
    painter.restore();
    painter.setPen(Qt::darkGray);
    const QRectF line(0, page.height(), page.width(), foot);
    painter.drawText(line, Qt::AlignLeft | Qt::AlignBottom, footer);
    painter.drawText(line, Qt::AlignRight | Qt::AlignBottom,
                     QObject::tr("page %1 of %2").arg(i + 1).arg(count));
  }
  document_.documentLayout()->unregisterHandler(plot_type);
  return painter.end();
}

}  // namespace ladimo::ui

#include "report_document.moc"
