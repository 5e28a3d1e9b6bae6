package pb

import "google.golang.org/protobuf/reflect/protoreflect"

// File_transport_pb_groupcache_proto is the descriptor under the name that groupcache-go gives it.
var File_transport_pb_groupcache_proto protoreflect.FileDescriptor

func init() {
	file_cohort_transport_pb_groupcache_proto_init()
	File_transport_pb_groupcache_proto = File_cohort_transport_pb_groupcache_proto
}
