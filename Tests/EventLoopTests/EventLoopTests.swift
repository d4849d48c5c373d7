import Testing

/// All suites of this target run one after the other: they count the descriptors of the whole process.
@Suite(.serialized)
enum EventLoopTests {}
