// Killing what is left under this process. It must be a subreaper: whatever
// loses its parent below becomes its child, so that killing one's own children
// again and again, and reaping them, empties the tree; their pids cannot be
// recycled before they are reaped. Blocks until the kernel lets go.
#ifndef VIGIL_COORDINATOR_LOCAL_ORPHANS_H_
#define VIGIL_COORDINATOR_LOCAL_ORPHANS_H_

namespace vigil::coordinator {

// SIGKILLs and reaps every child of this process, of any thread, until there
// is none. Returns how many were reaped. The caller must be the only thread
// that has or waits for children.
int KillAndReapAllChildren();

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_LOCAL_ORPHANS_H_
