/*
 * trace.cc - the functions by which JavaScript has its rfork traced (../src/watch/trace.c). src/trace/ is what uses them.
 *
 * Beside the threads it has the event loop's sleep in the record: while tracing is on the loop's handles have callbacks that note it, and no others
 * ever look.
 */
#include <cstring>

#include "cpu.h"
#include "functions.h"

namespace libcr {

/** traceStart(events) -> errno or 0. */
void TraceStart(Args args) {
  int error = lwkt_trace_start(args[0].As<v8::Uint32>()->Value());

  if (!error) loop_trace(current_cpu(), true);
  args.GetReturnValue().Set(error);
}

/** traceStop(): what has not been read is gone. */
void TraceStop(Args) {
  lwkt_trace_stop();
  loop_trace(current_cpu(), false);
}

/** traceRead() -> [an ArrayBuffer of all events (struct lwkt_trace_event), how many have been lost]. */
void TraceRead(Args args) {
  v8::Isolate* isolate = args.GetIsolate();
  std::vector<lwkt_trace_event> events;
  uint64_t lost = 0;
  const unsigned step = 1024;

  for (unsigned n = step; n == step;) {
    size_t before = events.size();
    events.resize(before + step);
    n = lwkt_trace_read(&events[before], step, &lost);
    events.resize(before + n);
  }
  size_t bytes = events.size() * sizeof(events[0]);
  v8::Local<v8::ArrayBuffer> buffer = v8::ArrayBuffer::New(isolate, bytes);
  if (bytes > 0) std::memcpy(buffer->GetBackingStore()->Data(), events.data(), bytes);
  v8::Local<v8::Value> both[] = {buffer, v8::Number::New(isolate, static_cast<double>(lost))};
  args.GetReturnValue().Set(v8::Array::New(isolate, both, 2));
}

/** traceMark(kind, rfork, number, time): an event of the running thread's; time in ns, 0: now. */
void TraceMark(Args args) {
  lwkt_trace_mark(args[0].As<v8::Uint32>()->Value(), args[1].As<v8::Uint32>()->Value(),
                  static_cast<uint64_t>(args[2].As<v8::Number>()->Value()), static_cast<uint64_t>(args[3].As<v8::Number>()->Value()));
}

/** traceNote(number): goes with the running thread's next leave. */
void TraceNote(Args args) { lwkt_trace_note(args[0].As<v8::Uint32>()->Value()); }

/** traceSlot() -> the running userthread's slot; -1: thread0. */
void TraceSlot(Args args) {
  lwkt_thread_t td = lwkt_curthread();

  args.GetReturnValue().Set(td == lwkt_thread0() ? -1 : slot_of(td));
}

/** traceId(slot) -> what the record calls a thread that has not ended: it counts the threads that C creates, too. 0: it has ended. */
void TraceId(Args args) {
  lwkt_thread_t td = thread_of(current_cpu(), args);

  args.GetReturnValue().Set(td ? static_cast<double>(td->td_id) : 0);
}

/** traceHooked() -> whether any thread of this rfork switches by another td_switch than untraced. For tests. */
void TraceHooked(Args args) {
  Cpu* cpu = current_cpu();
  bool hooked = lwkt_thread0()->td_switch != js_switch;

  for (lwkt_thread_t td : cpu->threads) hooked = hooked || (td && !is_native(td) && td->td_switch != js_switch);
  args.GetReturnValue().Set(hooked);
}

}  // namespace libcr
