// The version of this build, as every program of Vigil shows it.
#ifndef VIGIL_BASE_BUILD_VERSION_H_
#define VIGIL_BASE_BUILD_VERSION_H_

namespace vigil {

inline constexpr char kBuildVersion[] = "0.1.0";

}  // namespace vigil

#endif  // VIGIL_BASE_BUILD_VERSION_H_
