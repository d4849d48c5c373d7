// The values of the protocol (entities, players, fields, schemas) are part of this module's interface: one import is
// enough.
@_exported public import WireFormat
