import EventLoop

/// What keeps a server from running here at all, and what to do; nil when nothing does.
///
/// Without /proc a Swift program sees no arguments, so that it would serve the defaults to everyone, and the server cannot
/// read what memory it uses.
func systemFault(
  arguments: [String] = CommandLine.arguments, files: SystemFiles = SystemFiles()
) -> String? {
  guard arguments.isEmpty || files.text("/proc/self/statm") == nil else { return nil }
  return "/proc is not there: the program sees neither its arguments nor the memory that it uses. "
    + "Mount it (mount -t proc proc /proc)"
}
