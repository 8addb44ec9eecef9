// Generated text as it arrives, with every token tinted by how many experts it used.
#pragma once

#include <vector>

#include <QPlainTextEdit>
#include <QTimer>

#include "base/events.h"

namespace ladimo::ui {

struct Theme;

/// Tokens are appended to the document at most 30 times a second, and never change afterwards.
class TokenView : public QPlainTextEdit {
  Q_OBJECT
 public:
  explicit TokenView(QWidget* parent = nullptr);

  /// The numbers of experts per converted layer at which the tint starts and at which it is full.
  void set_scale(double few, double many);
  /// Removes all tokens and shows the prompt in a faint colour.
  void begin(const QString& prompt);
  void append(const TokenEvent& token);
  /// Shows at once the tokens that are waiting for the next tick.
  void flush();

  int token_count() const { return static_cast<int>(tokens_.size()); }
  /// The index of the token that holds the character at a position of the document, or -1.
  int token_at(int position) const;
  /// How many experts a token used, layer by layer. Rich text.
  QString details(int token) const;
  /// How many experts a token used, layer by layer, as one line of plain text.
  QString summary(int token) const;

 signals:
  /// The pointer or the text cursor is on this token, or on none (-1).
  void pointed(int token);

 protected:
  void mouseMoveEvent(QMouseEvent* event) override;
  void leaveEvent(QEvent* event) override;
  void changeEvent(QEvent* event) override;

 private:
  struct Token {
    QString text;
    std::vector<int> experts;  // number of experts on in each layer, -1 for a dense layer
    double mean = -1;          // mean over the layers that are not dense; -1 if all are
    int start = 0;             // position in the document
  };
  QTextCharFormat format_of(const Token& token, const Theme& theme) const;
  int token_under(const QPoint& point) const;
  void point_at_cursor();
  void recolour();

  std::vector<Token> tokens_;
  std::size_t shown_ = 0;  // number of tokens in the document
  int prompt_end_ = 0;
  int end_ = 0;  // position after the last token
  double few_ = 0;
  double many_ = 1;
  QTimer tick_;
};

}  // namespace ladimo::ui
