// Decides what would be lost when the window, a run or a conversion closes, and asks before it is.
#pragma once

#include <functional>

#include <QObject>

namespace ladimo::ui {

class ConversionWizard;
class MessageBar;
class RunPages;

/// Every way out goes through it: the window closes, another page takes the place of the open one, the
/// session ends.
class Leaving : public QObject {
  Q_OBJECT
 public:
  using Action = std::function<void()>;

  /// `bar` shows the question.
  Leaving(MessageBar& bar, QObject* parent);

  /// The page that is open now; both are null on the other pages. They must stay until the next call.
  void set_page(ConversionWizard* wizard, RunPages* run);
  /// Whether nothing would be lost, or the person agreed to lose it.
  bool free() const;
  /// Does `action` at once where nothing would be lost. Otherwise asks first and does it when the person
  /// agrees, or when what would be lost is saved.
  void leave(Action action);
  /// The session ends. Where the person may be asked, asks as leave() does; otherwise saves the chosen policy
  /// under a name of its own and then does `close`. Returns false while that has to wait, or did not succeed.
  bool end_session(bool may_ask, Action close);

 private:
  struct Loss;
  Loss loss() const;
  void ask(const Loss& loss);
  void answer(int action);
  void save();
  void go_on_saved();
  void wait(const QString& why);
  void stay();
  void go();

  MessageBar& bar_;
  ConversionWizard* wizard_ = nullptr;
  RunPages* run_ = nullptr;
  Action action_;        // waits for an answer, or until the policy is saved
  bool saving_ = false;  // the action waits until the policy is saved
  bool agreed_ = false;  // the action is being done
};

}  // namespace ladimo::ui
