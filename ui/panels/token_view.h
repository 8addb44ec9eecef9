// Text as it is generated, every token tinted by how many experts it used.
#pragma once

#include <vector>

#include <QPlainTextEdit>
#include <QTimer>

#include "base/events.h"

namespace ladimo::ui {

struct Theme;

/// Tokens are appended to the document 30 times a second at most; nothing that stands there is touched again.
class TokenView : public QPlainTextEdit {
  Q_OBJECT
 public:
  explicit TokenView(QWidget* parent = nullptr);

  /// Experts on per converted layer at which the tint begins and at which it is full.
  void set_scale(double few, double many);
  /// Forgets all tokens and shows the prompt, faintly.
  void begin(const QString& prompt);
  void append(const TokenEvent& token);
  /// Shows what waits for the next tick.
  void flush();

  int token_count() const { return static_cast<int>(tokens_.size()); }
  /// The token that holds the character at a position of the document, -1 where none does.
  int token_at(int position) const;
  /// How many experts a token used, layer by layer. Rich text.
  QString details(int token) const;
  /// The same as one line of plain text.
  QString summary(int token) const;

 signals:
  /// The pointer or the text cursor stands on this token, or on none (-1).
  void pointed(int token);

 protected:
  void mouseMoveEvent(QMouseEvent* event) override;
  void leaveEvent(QEvent* event) override;
  void changeEvent(QEvent* event) override;

 private:
  struct Token {
    QString text;
    std::vector<int> experts;  // on in each layer, -1: dense
    double mean = -1;          // over the converted layers; -1: every layer is dense
    int start = 0;             // position in the document
  };
  QTextCharFormat format_of(const Token& token, const Theme& theme) const;
  int token_under(const QPoint& point) const;
  void point_at_cursor();
  void recolour();

  std::vector<Token> tokens_;
  std::size_t shown_ = 0;  // tokens that are in the document
  int prompt_end_ = 0;
  int end_ = 0;  // of the document
  double few_ = 0;
  double many_ = 1;
  QTimer tick_;
};

}  // namespace ladimo::ui
