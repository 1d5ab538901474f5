/*
 * addon.cc - what JavaScript sees of the native half, and an environment's beginning and end. Node-API only: one source for every Node.
 *
 * The functions trust src/native.ts, their only caller, with their own arguments (ids, descriptors); a system call's arguments are
 * checked one by one in marshal.c.
 */
#include <napi.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>

#include "syscalls.h"

namespace {

constexpr size_t kCallValues = 7;  // number and six arguments

environment* environment_of(napi_env env, napi_callback_info info, napi_value* values, size_t* count) {
  void* data;
  napi_get_cb_info(env, info, count, values, nullptr, &data);
  return static_cast<environment*>(data);
}

napi_value number(napi_env env, double value) {
  napi_value result;
  napi_create_double(env, value, &result);
  return result;
}

double double_of(napi_env env, napi_value value) {
  double result = 0;
  napi_get_value_double(env, value, &result);
  return result;
}

bool bool_of(napi_env env, napi_value value) {
  bool result = false;
  napi_get_value_bool(env, value, &result);
  return result;
}

struct buffer_part {
  char* data = nullptr;
  size_t length = 0;
};

/** The first bytes of a buffer, as many as there still are. */
buffer_part part_of(napi_env env, napi_value buffer, napi_value length) {
  buffer_part part;
  size_t wanted = static_cast<size_t>(double_of(env, length));

  if (buffer_of(env, buffer, &part.data, &part.length) != 0) return {};
  if (part.length > wanted) part.length = wanted;
  return part;
}

/** call(number, ...args): the call as curthread's sysmsg, sent to the direct port. Answers the kernel's result or an ANSWER_*. */
napi_value call(napi_env env, napi_callback_info info) {
  napi_value values[kCallValues];
  size_t count = kCallValues;
  environment* e = environment_of(env, info, values, &count);
  marshalled arguments;

  int answer = marshal(e, double_of(env, values[0]), values + 1, kCallValues - 1, &arguments);
  if (answer != 0) return number(env, answer);
  sysmsg* message = &e->api->curthread()->td_sysmsg;
  e->api->initmsg(&message->sm_msg, nullptr, 0);
  message->sm_number = arguments.number;
  std::memcpy(message->sm_args, arguments.args, sizeof arguments.args);
  e->api->domsg(&e->direct, &message->sm_msg);
  messages_deliver(e, &arguments);
  return number(env, static_cast<double>(message->sm_result));
}

/** callBlocking(number, ...args): in place, waiting as long as the kernel does. */
napi_value call_blocking(napi_env env, napi_callback_info info) {
  napi_value values[kCallValues];
  size_t count = kCallValues;
  environment* e = environment_of(env, info, values, &count);
  marshalled arguments;

  int answer = marshal(e, double_of(env, values[0]), values + 1, kCallValues - 1, &arguments);
  if (answer != 0) return number(env, answer);
  const struct call whole = call_of(arguments.number, arguments.args);
  long result = direct_blocking(&whole, -1);
  messages_deliver(e, &arguments);
  return number(env, static_cast<double>(result));
}

/** offload(done, held, number, ...args): an id, or -errno or an ANSWER_BAD_*. held is taken over in any case. */
napi_value offload(napi_env env, napi_callback_info info) {
  napi_value values[2 + kCallValues];
  size_t count = 2 + kCallValues;
  environment* e = environment_of(env, info, values, &count);
  marshalled arguments;

  int held = static_cast<int>(double_of(env, values[1]));
  int answer = marshal(e, double_of(env, values[2]), values + 3, kCallValues - 1, &arguments);
  if (answer != 0) {
    if (held >= 0) close(held);
    return number(env, answer);
  }
  return number(env, offload_start(e, &arguments, static_cast<long>(double_of(env, values[0])), held));
}

/** finish(id, ...args): 0, or -1 where the buffers are too small by now. */
napi_value finish(napi_env env, napi_callback_info info) {
  napi_value values[kCallValues];
  size_t count = kCallValues;
  environment* e = environment_of(env, info, values, &count);

  return number(env, offload_finish(e, double_of(env, values[0]), values + 1, kCallValues - 1));
}

/** submit(done, number, ...args): the call to the ring: a number, -errno, an ANSWER_BAD_*, or ANSWER_OFFLOAD where it is not for it. */
napi_value submit(napi_env env, napi_callback_info info) {
  napi_value values[1 + kCallValues];
  size_t count = 1 + kCallValues;
  environment* e = environment_of(env, info, values, &count);
  marshalled arguments;

  int answer = marshal(e, double_of(env, values[1]), values + 2, kCallValues - 1, &arguments);
  if (answer != 0) return number(env, answer);
  return number(env, ring_submit(e, &arguments, static_cast<long>(double_of(env, values[0]))));
}

/** poll(fd, events, nanoseconds, background): a number or -errno. Only where there is a ring. */
napi_value poll(napi_env env, napi_callback_info info) {
  napi_value values[4];
  size_t count = 4;
  environment* e = environment_of(env, info, values, &count);

  if (e->ring == nullptr) return number(env, -ECANCELED);
  return number(env, ring_poll(e, static_cast<int>(double_of(env, values[0])),
                               static_cast<uint32_t>(double_of(env, values[1])), double_of(env, values[2]),
                               bool_of(env, values[3])));
}

/** background(id, on): whether what poll has answered keeps the loop alive. */
napi_value background(napi_env env, napi_callback_info info) {
  napi_value values[2];
  size_t count = 2;
  environment* e = environment_of(env, info, values, &count);

  ring_background(e, double_of(env, values[0]), bool_of(env, values[1]));
  return nullptr;
}

/** receive(fd, length): a number, or ANSWER_READABLE. Only after an ANSWER_RECEIVE. */
napi_value receive(napi_env env, napi_callback_info info) {
  napi_value values[2];
  size_t count = 2;
  environment* e = environment_of(env, info, values, &count);

  if (e->ring == nullptr) return number(env, ANSWER_READABLE);
  return number(env, ring_receive(e, static_cast<int>(double_of(env, values[0])),
                                  static_cast<size_t>(double_of(env, values[1]))));
}

/** (id, buffer, length): what ring_take or ring_recall answers. */
napi_value data_of(napi_env env, napi_callback_info info, long (*fetch)(environment*, double, char*, size_t)) {
  napi_value values[3];
  size_t count = 3;
  environment* e = environment_of(env, info, values, &count);
  buffer_part part = part_of(env, values[1], values[2]);

  return number(env, static_cast<double>(fetch(e, double_of(env, values[0]), part.data, part.length)));
}

napi_value take(napi_env env, napi_callback_info info) { return data_of(env, info, ring_take); }

napi_value recall(napi_env env, napi_callback_info info) { return data_of(env, info, ring_recall); }

/** collect(id, ...args): finish, for what submit has answered. */
napi_value collect(napi_env env, napi_callback_info info) {
  napi_value values[kCallValues];
  size_t count = kCallValues;
  environment* e = environment_of(env, info, values, &count);

  return number(env, ring_finish(e, double_of(env, values[0]), values + 1, kCallValues - 1));
}

napi_value give_up(napi_env env, napi_callback_info info) {
  napi_value values[1];
  size_t count = 1;
  environment* e = environment_of(env, info, values, &count);

  ring_abandon(e, double_of(env, values[0]));
  return nullptr;
}

/** canWait(fd): whether fd can be waited for at all, as a pipe can and a regular file can't. */
napi_value can_wait(napi_env env, napi_callback_info info) {
  napi_value values[1];
  size_t count = 1;
  environment* e = environment_of(env, info, values, &count);
  napi_value result;

  napi_get_boolean(env, readiness_possible(e, static_cast<int>(double_of(env, values[0]))) != 0, &result);
  return result;
}

napi_value abandon(napi_env env, napi_callback_info info) {
  napi_value values[1];
  size_t count = 1;
  environment* e = environment_of(env, info, values, &count);

  if (!e->closing) offload_abandon(e, double_of(env, values[0]));
  return nullptr;
}

/** watch(fd, events): 0 or -errno. */
napi_value watch(napi_env env, napi_callback_info info) {
  napi_value values[2];
  size_t count = 2;
  environment* e = environment_of(env, info, values, &count);

  if (e->closing) return number(env, -ECANCELED);
  return number(env, readiness_watch(e, static_cast<int>(double_of(env, values[0])),
                                     static_cast<uint32_t>(double_of(env, values[1]))));
}

napi_value forget(napi_env env, napi_callback_info info) {
  napi_value values[1];
  size_t count = 1;
  environment* e = environment_of(env, info, values, &count);

  readiness_forget(e, static_cast<int>(double_of(env, values[0])));
  return nullptr;
}

/** ref(on): whether the waits keep the event loop alive. */
napi_value ref(napi_env env, napi_callback_info info) {
  napi_value values[1];
  size_t count = 1;
  environment* e = environment_of(env, info, values, &count);

  readiness_ref(e, bool_of(env, values[0]));
  return nullptr;
}

void cleanup(napi_async_cleanup_hook_handle, void* arg) {
  auto* e = static_cast<environment*>(arg);

  e->closing = 1;
  e->open_handles++;  // until both have been asked to close
  supervisors_close(e);
  ring_close(e);
  readiness_close(e);
  offload_close(e);
  environment_handle_closed(e);
}

napi_ref reference(Napi::Value value) {
  napi_ref result;
  napi_create_reference(value.Env(), value, 1, &result);
  return result;
}

/** Which way the calls go that wait, why not the ring, and what the ring lacks: what doctor shows. */
void choose_path(environment* e, const std::string& wanted, Napi::Object exports) {
  char text[512] = "LIBCR_SYSCALLS_PATH=readiness";
  bool ring = wanted != "readiness" && ring_open(e, text, sizeof text) == 0;

  exports.Set("path", ring ? "ring" : "readiness");
  exports.Set("why", ring ? "" : text);
  ring_names_missing(e, text, sizeof text);
  exports.Set("missing", ring ? text : "");
}

/**
 * setup(lwktApi, status, completions, onReady, onDone, onCompletions, path): once for each environment; answers the functions. path: "ring" and ""
 * ask for the ring, "readiness" for none.
 */
Napi::Value setup(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  bool lossless;
  auto* api = reinterpret_cast<const lwkt_api*>(info[0].As<Napi::BigInt>().Uint64Value(&lossless));

  if (api->version != LWKT_VERSION || api->size < sizeof(lwkt_api)) {
    Napi::Error::New(env, "this native half was built for another version of @libcr/core").ThrowAsJavaScriptException();
    return env.Undefined();
  }
  auto* e = new (std::nothrow) environment{};
  if (e == nullptr) {
    Napi::Error::New(env, "out of memory").ThrowAsJavaScriptException();
    return env.Undefined();
  }
  e->env = env;
  e->api = api;
  napi_get_uv_event_loop(env, &e->loop);
  e->status = info[1].As<Napi::Float64Array>().Data();
  reference(info[1]);  // lives as long as the environment
  e->completions = info[2].As<Napi::Float64Array>().Data();
  reference(info[2]);
  e->on_ready = reference(info[3]);
  e->on_done = reference(info[4]);
  e->on_completions = reference(info[5]);
  napi_async_init(env, nullptr, Napi::String::New(env, "LibcrSyscalls"), &e->async_context);
  api->initport_putonly(&e->direct, direct_putport, "direct");
  e->direct.mp_data = e;
  napi_add_async_cleanup_hook(env, cleanup, e, &e->cleanup);

  const struct {
    const char* name;
    napi_callback function;
  } functions[] = {
      {"call", call},       {"callBlocking", call_blocking}, {"offload", offload}, {"finish", finish},
      {"abandon", abandon}, {"watch", watch},                {"forget", forget},   {"ref", ref},
      {"submit", submit},   {"poll", poll},                  {"collect", collect}, {"giveUp", give_up},
      {"canWait", can_wait},{"receive", receive},            {"take", take},       {"recall", recall},
      {"background", background}, {"quote", quote}, {"supervise", supervise},
  };
  Napi::Object exports = Napi::Object::New(env);
  for (const auto& [name, function] : functions) {
    napi_value value;
    napi_create_function(env, name, NAPI_AUTO_LENGTH, function, e, &value);
    exports.Set(name, Napi::Value(env, value));
  }
  choose_path(e, info[6].As<Napi::String>().Utf8Value(), exports);
  return exports;
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  exports.Set("setup", Napi::Function::New(env, setup));
  return exports;
}

}  // namespace

extern "C" void environment_handle_closed(environment* e) {
  if (--e->open_handles > 0 || !e->closing) return;
  napi_remove_async_cleanup_hook(e->cleanup);
  std::free(e->messages);
  delete e;
}

extern "C" void environment_call(environment* e, napi_ref function, double a, double b) {
  napi_env env = e->env;
  if (e->closing) return;
  Napi::HandleScope scope(env);
  napi_value callback, global, result;
  napi_value arguments[] = {number(env, a), number(env, b)};

  if (napi_get_reference_value(env, function, &callback) != napi_ok || napi_get_global(env, &global) != napi_ok) return;
  napi_status status = napi_make_callback(env, e->async_context, global, callback, 2, arguments, &result);
  if (status == napi_pending_exception) {
    napi_value error;
    if (napi_get_and_clear_last_exception(env, &error) == napi_ok) napi_fatal_exception(env, error);
  }
}

NODE_API_MODULE(syscalls, init)
