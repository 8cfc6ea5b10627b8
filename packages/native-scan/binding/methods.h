/// The functions of the addon, one list per family.
#pragma once

#include <span>

#include "call.h"

namespace statespace::binding {

std::span<const Method> ScanMethods();
std::span<const Method> ConvMethods();
std::span<const Method> SsdMethods();
std::span<const Method> DiagonalSsdMethods();
std::span<const Method> UpdateMethods();
std::span<const Method> ElementwiseMethods();
std::span<const Method> ReduceMethods();
std::span<const Method> MatrixMethods();
std::span<const Method> NormMethods();
std::span<const Method> LossMethods();
std::span<const Method> RandomMethods();
std::span<const Method> OptimizerMethods();
std::span<const Method> RuntimeMethods();
std::span<const Method> InterfaceMethods();

}  // namespace statespace::binding
