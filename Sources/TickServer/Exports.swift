// A game needs one import: the rules it writes are RoomEngine's protocols over WireFormat's schemas.
@_exported public import RoomEngine
@_exported public import WireFormat
