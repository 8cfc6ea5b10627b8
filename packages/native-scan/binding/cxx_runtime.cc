/// Functions of the C++ runtime that headers of newer compilers call and the libstdc++ of older systems lacks.
///
/// Node 20 asks for GLIBCXX_3.4.21 and no more, so the addon may not either: what is younger is defined here, hidden
/// from other modules by exports.map.
#include <cstdlib>
#include <new>

namespace std {

/// Called for containers of more bytes than there are addresses (GLIBCXX_3.4.29). Without exceptions that is the end,
/// as in libstdc++ itself.
[[noreturn]] void __throw_bad_array_new_length() { abort(); }

}  // namespace std
