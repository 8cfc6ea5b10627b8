/// The header read by a C++ compiler of any age, and the table for the test in C.
#include "c_interface_layout.h"

namespace statespace::c_interface {
const statespace_interface& Interface() noexcept;
}

extern "C" const statespace_interface* statespace_test_interface() { return &statespace::c_interface::Interface(); }
