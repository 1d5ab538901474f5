/*
 * join-stack.cc - the arrays that are being joined. V8 notes them, in one list for each of its contexts, so that an array that contains itself
 * joins to something finite (Array.prototype.join, toString, toLocaleString, and whatever makes text of an array). The list is a stack: V8 takes it for granted that the
 * array that was noted last is done first, and ends the process where it isn't. A thread that waits below a join breaks that, and another one that joins the same
 * array meanwhile gets an empty text. So each thread has lists of its own: those that are not empty go with it at a switch.
 *
 * V8's public interface does not lead to the list. It hangs in a word of the context, which is found once, by looking which word changes when an array is being
 * joined. Where it isn't found nothing is done here (native.joinStacks says so).
 *
 * Invariants:
 *  - What is written into that word is either `undefined`, which never moves, or a list that V8 made itself and that `placed` keeps alive.
 *  - V8 does not know of the second kind of writing. So it is undone while a collection runs, and done again afterwards, with the list where it is by then.
 */
#include <algorithm>
#include <cstring>
#include <mutex>

#include "../cpu.h"

namespace libcr {

namespace {

using Word = uintptr_t;  // a tagged value of V8's: a pointer to an object plus one, or a small integer in the upper half

const size_t kHeader = 16;  // of contexts and fixed arrays: their map, and how many words follow

/** What is the same for all contexts of the process; found by the first environment. */
struct Layout {
  size_t offset = 0;  // of the word in a context; 0: not found
  Word hole = 0;      // what stands in a list's free places
} layout;

template <typename T>
Word* place_of(const v8::Local<T>& local) {
  Word* place;

  static_assert(sizeof(local) == sizeof(place), "a handle is a pointer to where the value is");
  std::memcpy(&place, static_cast<const void*>(&local), sizeof(place));
  return place;
}

template <typename T>
Word word_of(const v8::Local<T>& local) {
  return *place_of(local);
}

bool is_object(Word word) { return (word & 3) == 1; }

Word& field(Word object, size_t offset) { return *reinterpret_cast<Word*>(object - 1 + offset); }

uint32_t length_of(Word object) { return static_cast<uint32_t>(field(object, 8) >> 32); }

void write(Word& place, Word word) { __atomic_store_n(&place, word, __ATOMIC_RELAXED); }  // V8's marking threads may read it

void make_global(v8::Isolate* isolate, v8::Global<v8::Data>* global, Word word) {
  Word* place = &word;
  v8::Local<v8::Data> local;

  std::memcpy(static_cast<void*>(&local), &place, sizeof(place));
  global->Reset(isolate, local);
}

struct Looking {
  Word array;
  Word context;
  size_t offset;
};

/** Called while the array is being joined. */
void look(const v8::FunctionCallbackInfo<v8::Value>& args) {
  auto* looking = static_cast<Looking*>(args.Data().As<v8::External>()->Value(
#if V8_MAJOR_VERSION >= 14
      v8::kExternalPointerTypeTagDefault
#endif
      ));
  v8::Isolate* isolate = args.GetIsolate();
  v8::Local<v8::Value> array;
  unsigned found = 0;

  if (!args.This().As<v8::Object>()->Get(isolate->GetCurrentContext(), 0).ToLocal(&array)) return;
  looking->array = word_of(array);
  looking->context = word_of(isolate->GetCurrentContext());
  for (uint32_t i = 0; i < length_of(looking->context); i++) {
    Word list = field(looking->context, kHeader + 8 * i);

    if (!is_object(list) || (field(list, 8) & 0xffffffff) != 0 || length_of(list) == 0 || length_of(list) > 64) continue;
    if (field(list, kHeader) != looking->array) continue;
    looking->offset = kHeader + 8 * i;
    found++;
  }
  if (found != 1) looking->offset = 0;
  args.GetReturnValue().SetEmptyString();
}

void find_layout(v8::Isolate* isolate, v8::Local<v8::Context> context) {
  Looking first = {}, second = {};
  v8::HandleScope handles(isolate);
  v8::TryCatch caught(isolate);

  for (Looking* looking : {&first, &second}) {
    v8::Local<v8::External> data = v8::External::New(isolate, looking
#if V8_MAJOR_VERSION >= 14
                                                     , v8::kExternalPointerTypeTagDefault
#endif
    );
    v8::Local<v8::Function> function;
    v8::Local<v8::Object> element = v8::Object::New(isolate);
    v8::Local<v8::Value> value = element;

    if (!v8::Function::New(context, look, data).ToLocal(&function)) return;
    if (element->Set(context, v8::String::NewFromUtf8Literal(isolate, "toString"), function).IsNothing()) return;
    v8::Local<v8::Array> array = v8::Array::New(isolate, &value, 1);
    if (element->Set(context, 0, array).IsNothing()) return;
    if (array->ToString(context).IsEmpty()) return;
  }
  if (first.offset == 0 || first.offset != second.offset) return;
  Word list = field(word_of(context), first.offset);
  if (!is_object(list) || !is_object(field(list, kHeader)) || field(list, kHeader) == second.array) return;
  layout.hole = field(list, kHeader);
  layout.offset = first.offset;
}

/** The word of a context that is not gone. */
Word& list_of(const JoinContext& joins) {
  const Word* place;

  static_assert(sizeof(joins.context) == sizeof(place), "and so is a global one");
  std::memcpy(&place, static_cast<const void*>(&joins.context), sizeof(place));
  return field(*place, layout.offset);
}

/** Of a context, the list that some array is in; 0: none is being joined. */
Word list_in_use(const JoinContext& joins, Word undefined) {
  if (joins.context.IsEmpty()) return 0;
  Word list = list_of(joins);

  return list == undefined || field(list, kHeader) == layout.hole ? 0 : list;
}

void take_away(v8::Isolate* isolate, v8::GCType, v8::GCCallbackFlags, void* data) {
  Cpu* cpu = static_cast<Cpu*>(data);
  v8::HandleScope handles(isolate);

  for (auto& joins : cpu->joins) {
    if (joins->placed.IsEmpty() || joins->context.IsEmpty()) continue;
    Word& place = list_of(*joins);
    joins->away = place == word_of(joins->placed.Get(isolate));
    if (joins->away)
      write(place, cpu->undefined);
    else
      joins->placed.Reset();  // V8 has made another one since
  }
}

void put_back(v8::Isolate* isolate, v8::GCType, v8::GCCallbackFlags, void* data) {
  Cpu* cpu = static_cast<Cpu*>(data);
  v8::HandleScope handles(isolate);

  for (auto& joins : cpu->joins) {
    if (joins->away && !joins->context.IsEmpty()) write(list_of(*joins), word_of(joins->placed.Get(isolate)));
    joins->away = false;
  }
}

}  // namespace

void join_add(Cpu* cpu, v8::Local<v8::Context> context) {
  auto joins = std::make_unique<JoinContext>();

  if (layout.offset == 0 || length_of(word_of(context)) <= (layout.offset - kHeader) / 8) return;
  cpu->joins.erase(std::remove_if(cpu->joins.begin(), cpu->joins.end(), [](const auto& old) { return old->context.IsEmpty(); }), cpu->joins.end());
  joins->context.Reset(cpu->isolate, context);
  joins->context.SetWeak();
  cpu->joins.push_back(std::move(joins));
}

bool join_init(Cpu* cpu, v8::Local<v8::Context> context) {
  static std::mutex finding;
  std::lock_guard<std::mutex> guard(finding);

  if (layout.offset == 0) find_layout(cpu->isolate, context);
  if (layout.offset == 0) return false;
  cpu->undefined = word_of(v8::Undefined(cpu->isolate));
  cpu->isolate->AddGCPrologueCallback(take_away, cpu);
  cpu->isolate->AddGCEpilogueCallback(put_back, cpu);
  join_add(cpu, context);
  return true;
}

void join_close(Cpu* cpu) {
  if (cpu->joins.empty()) return;
  cpu->isolate->RemoveGCPrologueCallback(take_away, cpu);
  cpu->isolate->RemoveGCEpilogueCallback(put_back, cpu);
  cpu->joins.clear();
}

std::unique_ptr<JoinLists> join_leave(Cpu* cpu) {
  std::unique_ptr<JoinLists> lists;

  for (auto& joins : cpu->joins) {
    Word list = list_in_use(*joins, cpu->undefined);
    if (list == 0) continue;
    if (!lists) lists = std::make_unique<JoinLists>();
    lists->emplace_back(joins.get(), v8::Global<v8::Data>());
    make_global(cpu->isolate, &lists->back().second, list);
    write(list_of(*joins), cpu->undefined);
    joins->placed.Reset();
  }
  return lists;
}

void join_arrive(Cpu* cpu, JoinLists* lists) {
  v8::HandleScope handles(cpu->isolate);

  for (auto& [joins, list] : *lists) {
    joins->placed = std::move(list);
    write(list_of(*joins), word_of(joins->placed.Get(cpu->isolate)));
  }
}

}  // namespace libcr
