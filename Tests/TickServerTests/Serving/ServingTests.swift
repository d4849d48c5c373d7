import Testing

/// Tests on real sockets and processes. One after the other: each counts the descriptors of this process, and two cores
/// serve them all.
@Suite("Serving", .serialized)
struct ServingTests {}
