# Builds the fuzz targets into $(OUT) with clang, for run.sh: each target is
# TARGET_fuzz.cc linked with what it needs of one archive, in which lies all of
# the project that knows no gRPC and no process.

CXX := clang++
SANITIZE := address,undefined
CXXFLAGS := -std=c++20 -O1 -g1 -fno-omit-frame-pointer \
	-fsanitize=$(SANITIZE) -fno-sanitize-recover=all -I. -I$(OUT)/gen
LIBS := $(shell pkg-config --libs absl_flat_hash_map absl_btree absl_hash \
	absl_status absl_statusor absl_str_format absl_strings \
	absl_synchronization absl_time protobuf re2 sqlite3 libcrypto)

PROTOS := $(filter-out %_service.proto,$(wildcard proto/vigil/v1/*.proto)) \
	$(wildcard proto/vigil/v1/*_service.proto) \
	proto/vigil/task/v1/frames.proto
OWN_PROTOS := coordinator/codec/stored_batch.proto \
	coordinator/codec/stored_job.proto coordinator/telemetry/event.proto \
	tests/fuzz/request_script.proto tests/fuzz/worker_script.proto
DIRS := base base/wire coordinator/codec coordinator/core coordinator/engine \
	coordinator/store coordinator/telemetry
SOURCES := $(filter-out %_test.cc %_test_util.cc %_benchmark.cc, \
	$(wildcard $(DIRS:%=%/*.cc))) \
	coordinator/rpc/cursors.cc coordinator/rpc/worker_messages.cc \
	coordinator/rpc/worker_view.cc worker/frames/frame_check.cc \
	worker/frames/frame_codec.cc tests/fuzz/coordinator_world.cc \
	tests/fuzz/proto_mutator.cc

PB := $(PROTOS:proto/%.proto=$(OUT)/gen/%.pb) \
	$(OWN_PROTOS:%.proto=$(OUT)/gen/%.pb)
OBJECTS := $(SOURCES:%.cc=$(OUT)/%.o)
TARGETS := $(patsubst tests/fuzz/%_fuzz.cc,%,$(wildcard tests/fuzz/*_fuzz.cc))

.PHONY: $(TARGETS)
$(TARGETS): %: $(OUT)/%
.SECONDARY:

$(OUT)/gen/.made: $(PROTOS) $(OWN_PROTOS)
	mkdir -p $(@D)
	protoc -Iproto -I. --cpp_out=$(@D) $(PROTOS:proto/%=%) $(OWN_PROTOS)
	touch $@

# Coverage is that of the project's own files.
$(OUT)/gen/%.pb.o: | $(OUT)/gen/.made
	$(CXX) $(CXXFLAGS) -MMD -c -o $@ $(@:.o=.cc)

$(OUT)/%.o: %.cc | $(OUT)/gen/.made
	mkdir -p $(@D)
	$(CXX) $(CXXFLAGS) -fsanitize=fuzzer-no-link -MMD -c -o $@ $<

$(OUT)/all.a: $(OBJECTS) $(PB:=.o)
	rm -f $@
	ar rcs $@ $^

# libFuzzer finds these by their names.
$(OUT)/requests: $(OUT)/tests/fuzz/requests_mutator.o
$(OUT)/worker_messages: $(OUT)/tests/fuzz/worker_messages_mutator.o

$(OUT)/%: $(OUT)/tests/fuzz/%_fuzz.o $(OUT)/all.a
	$(CXX) -fsanitize=fuzzer,$(SANITIZE) -o $@ $(filter %.o,$^) $(OUT)/all.a \
		$(LIBS) -lpthread

-include $(OBJECTS:.o=.d) $(PB:=.d) $(TARGETS:%=$(OUT)/tests/fuzz/%_fuzz.d)
