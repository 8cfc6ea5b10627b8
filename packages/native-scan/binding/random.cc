//   random: distribution, seed, stream, offset, count | out
//   dropout: p, seed, stream, offset, count | x, out
#include "methods.h"
#include "statespace/kernels.h"

namespace statespace::binding {
namespace {

uint64_t ReadCounter(Call& call) {
  const int64_t value = call.Integer();
  if (value < 0) call.Refuse(Refusal::kBadNumber);
  return static_cast<uint64_t>(value);
}

PhiloxPosition ReadPosition(Call& call) {
  PhiloxPosition position{};
  position.seed = ReadCounter(call);
  position.stream = ReadCounter(call);
  position.offset = ReadCounter(call);
  return position;
}

napi_value Random(Call& call) {
  RandomArgs a{};
  a.distribution = static_cast<Distribution>(call.Choice(2));
  a.generator = ReadPosition(call);
  a.count = call.Size();
  a.out = call.Out(a.count);
  return call.Run(a, cpu_kernels()->random);
}

napi_value Dropout(Call& call) {
  DropoutArgs a{};
  a.p = call.Number();
  if (!(a.p >= 0 && a.p < 1)) call.Refuse(Refusal::kBadNumber);
  a.generator = ReadPosition(call);
  a.count = call.Size();
  a.x = call.In(a.count);
  a.out = call.Out(a.count, Sharing::kSameView);
  return call.Run(a, cpu_kernels()->dropout);
}

constexpr Method kMethods[] = {{"random", Sync<Random>}, {"dropout", Sync<Dropout>}};

}  // namespace

std::span<const Method> RandomMethods() { return kMethods; }

}  // namespace statespace::binding
