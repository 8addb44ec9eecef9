#include "ui/engine/serve_client.h"

#include <algorithm>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <QPointer>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "run/event_json.h"
#include "ui/engine/line_process.h"
#include "ui/engine/window_words.h"

namespace ladimo::ui {
namespace {

using nlohmann::json;

void add_policy(json& request, const std::optional<Policy>& policy) {
  if (policy) request["policy"] = to_json(*policy);
}

QByteArray line_of(const json& object) {
  return QByteArray::fromStdString(object.dump(-1, ' ', false, json::error_handler_t::replace));
}

/// The event's own keys.
json content_of(json event) {
  event.erase("event");
  event.erase("id");
  return event;
}

std::string text_of(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

struct ServeClient::State {
  State(ServeClient& owner, Engine engine, QString folder)
      : client(owner), model(std::move(folder)), process(std::move(engine)) {
    connect(&process, &LineProcess::line, &client, [this](const QByteArray& line) { read(line); });
    connect(&process, &LineProcess::ended, &client, [this](const Ending& ending) { fail_all(ending); });
  }

  void start();
  int send(json request);
  void read(const QByteArray& line);
  void hear(int request, const QByteArray& line);
  void warn(const WarningEvent& event);
  auto find(int request) { return std::ranges::find(waiting, request, &Request::id); }
  void cancel(int request);
  void finish(int request, Outcome outcome);
  void fail_all(const Ending& ending);

  struct Request {
    int id;
    QByteArray line;
  };
  ServeClient& client;
  QString model, original;
  LineProcess process;
  int last_request = 0;
  std::vector<Request> waiting;            // in order of arrival; the first is in progress
  std::vector<ErrorEvent> errors;          // about the model, before it is loaded
  std::optional<Measurement> measurement;  // of the request in progress
  QStringList warnings;                    // of the request in progress
  bool loaded = false;
  bool leaving = false;  // the process was told to stop; new requests need another
};

void ServeClient::State::start() {
  errors.clear();
  QStringList arguments{QStringLiteral("serve"), model};
  if (!original.isEmpty()) arguments << QStringLiteral("--dense") << original;
  process.start(arguments);
  for (const Request& request : waiting) process.write(request.line);
  process.expect_answer(true);
}

int ServeClient::State::send(json request) {
  request["id"] = ++last_request;
  waiting.push_back({last_request, line_of(request)});
  if (!process.running()) {
    start();
  } else if (!leaving) {
    process.write(waiting.back().line);
    process.expect_answer(true);
  }
  return last_request;
}

void ServeClient::State::read(const QByteArray& line) {
  const json object = json::parse(line.begin(), line.end(), nullptr, false);
  const std::string kind = object.is_object() ? text_of(object, "event") : std::string();
  const auto id = object.find("id");
  const bool numbered = kind.size() > 0 && id != object.end() && id->is_number_integer();
  const int request = numbered ? id->get<int>() : 0;
  if (kind == "ready") {
    loaded = true;
    emit client.moved_up();
    return;
  }
  const ErrorEvent error{text_of(object, "message"), text_of(object, "hint"), text_of(object, "path")};
  if (kind == "error" && !numbered) {
    errors.push_back(error);
  } else if (kind == "error") {
    const bool canceled = object.value("canceled", json()) == true;
    finish(request, complaint(canceled ? Outcome::Kind::canceled : Outcome::Kind::refused, {error}));
  } else if (kind == "result" && numbered) {
    finish(request, {Outcome::Kind::done, {}, {}, line_of(content_of(object))});
  } else if (numbered) {
    hear(request, line);
  }
}

void ServeClient::State::hear(int request, const QByteArray& line) {
  try {
    const Event event = parse_event({line.constData(), static_cast<std::size_t>(line.size())});
    std::visit(
        [&](const auto& e) {
          using E = std::decay_t<decltype(e)>;
          if constexpr (std::is_same_v<E, StepEvent>) emit client.step(request, e);
          if constexpr (std::is_same_v<E, ProgressEvent>) emit client.progress(request, e);
          if constexpr (std::is_same_v<E, TokenEvent>) emit client.token(request, e);
          if constexpr (std::is_same_v<E, MeasureEvent>) measurement = measurement_of(e);
          if constexpr (std::is_same_v<E, WarningEvent>) warn(e);
        },
        event);
  } catch (const Refusal& refusal) {
    warn({refusal.what(), refusal.hint()});
  }
}

void ServeClient::State::warn(const WarningEvent& event) {
  warnings << (QString::fromStdString(event.message) + ' ' + in_window_words(event.hint)).trimmed();
}

/// The engine does not read requests while the model is loading.
void ServeClient::State::cancel(int request) {
  if (find(request) == waiting.end()) return;
  leaving = !loaded && waiting.size() == 1;
  if (leaving)
    process.stop();
  else
    process.write(line_of({{"request", "cancel"}, {"id", request}}));
  if (!loaded) finish(request, {Outcome::Kind::canceled, QObject::tr("Canceled."), {}, {}});
}

void ServeClient::State::finish(int request, Outcome outcome) {
  const auto found = find(request);
  if (found == waiting.end()) return;
  if (found == waiting.begin()) {
    outcome.warning = std::exchange(warnings, {}).join('\n');
    outcome.measurement = std::exchange(measurement, {});
  }
  waiting.erase(found);
  if (waiting.empty()) process.expect_answer(false);
  const QPointer<ServeClient> alive(&client);
  emit client.finished(request, outcome);
  if (alive && !waiting.empty()) emit client.moved_up();
}

/// However the process ends, all its requests end with it.
void ServeClient::State::fail_all(const Ending& ending) {
  loaded = false;
  if (std::exchange(leaving, false)) {
    if (!waiting.empty()) start();
    return;
  }
  Outcome outcome = outcome_of(ending, errors, {});
  if (outcome.done())
    outcome = {Outcome::Kind::failed, QObject::tr("The engine ended before it had answered."), {}, {}};
  const QPointer<ServeClient> alive(&client);
  for (const Request& request : std::vector<Request>(waiting)) {
    finish(request.id, outcome);
    if (!alive) return;
  }
}

ServeClient::ServeClient(Engine engine, QString model, QObject* parent)
    : QObject(parent), state_(std::make_unique<State>(*this, std::move(engine), std::move(model))) {}

ServeClient::~ServeClient() = default;

int ServeClient::generate(const Generation& request) {
  json sides = json::array();
  if (request.dense) sides.push_back("dense");
  if (request.converted) sides.push_back("converted");
  json object = {{"request", "generate"},
                 {"prompt", request.prompt.toStdString()},
                 {"max_tokens", request.max_tokens},
                 {"temperature", request.temperature},
                 {"seed", request.seed},
                 {"sides", sides}};
  add_policy(object, request.policy);
  return state_->send(std::move(object));
}

int ServeClient::evaluate(const std::optional<Policy>& policy, const QStringList& text, qint64 tokens) {
  json object = {{"request", "eval"}, {"tokens", tokens}};
  for (const QString& file : text) object["text"].push_back(file.toStdString());
  add_policy(object, policy);
  return state_->send(std::move(object));
}

int ServeClient::bench(const std::optional<Policy>& policy) {
  json object = {{"request", "bench"}};
  add_policy(object, policy);
  return state_->send(std::move(object));
}

int ServeClient::save_policy(const Policy& policy, const QString& name) {
  json object = {{"request", "policy"}};
  add_policy(object, policy);
  if (!name.isEmpty()) object["name"] = name.toStdString();
  return state_->send(std::move(object));
}

void ServeClient::cancel(int request) { state_->cancel(request); }

void ServeClient::set_original(const QString& folder) { state_->original = folder; }

const QString& ServeClient::original() const { return state_->original; }

bool ServeClient::busy() const { return !state_->waiting.empty(); }

bool ServeClient::loaded() const { return state_->loaded; }

QString ServeClient::waits_for(int request) const {
  if (!state_->loaded) return tr("The engine is loading the model…");
  const bool first = state_->waiting.empty() || state_->waiting.front().id == request;
  return first ? QString() : tr("Waiting for what the engine was asked before this…");
}

}  // namespace ladimo::ui
