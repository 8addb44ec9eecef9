// `ladimo serve`: a model loaded once, requests read line by line, events written line by line.
//
// The first event is {"event":"ready"}. Every line that is read is a JSON object with `request` and `id`, a
// number that the client chooses (for cancel: the number of the request to cancel):
//   {"id":1,"request":"generate","prompt":"Once","max_tokens":128,"temperature":0,"seed":0,
//    "sides":["dense","converted"],"policy":{...}}
//   {"id":2,"request":"eval","text":["f.txt"],"tokens":0,"window":0,"tasks":["q.jsonl"],"tasks_only":false,
//    "policy":{...}}
//   {"id":3,"request":"bench","policy":{...}}
//   {"id":4,"request":"policy","policy":{...},"name":"calm"}
//   {"request":"cancel","id":2}
// `request` is required, and so are the `prompt` of generate and the `policy` of policy; the rest has the
// defaults of the commands. `policy` is the content of a policy file; without it the run's own policy is
// used. Requests are answered one after another, but cancel takes effect at once. Every event of a request
// has its `id` (a token's own id is `token_id`). The last is one `result` or one `error` ("canceled": true
// where the request was canceled). A line that is not a request is answered by an error.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "commands/loaded_model.h"

namespace ladimo {

/// Serves requests from the file descriptor `input` until it ends or `stop` is set. Either cancels the
/// requests that are left. `write` gets one line at a time, without its newline, from two threads but never
/// from both at once. An exception from `write` ends serving and is thrown again. `model` keeps what it
/// loads.
void serve(const LoadedModel& model, int input, const std::function<void(const std::string&)>& write,
           const std::atomic<bool>& stop);

}  // namespace ladimo
