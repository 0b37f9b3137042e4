// Attempts between the plain values of base/attempt.h and their protobuf forms.
// Pure functions, thread-safe. Text that is not UTF-8 is escaped on the way
// out, since proto strings must be; unknown enum numbers are kept.
#ifndef VIGIL_BASE_WIRE_ATTEMPT_WIRE_H_
#define VIGIL_BASE_WIRE_ATTEMPT_WIRE_H_

#include <string>

#include "base/attempt.h"
#include "base/reason.h"
#include "base/utf8.h"
#include "vigil/v1/dispatch_service.pb.h"
#include "vigil/v1/failure.pb.h"
#include "vigil/v1/job.pb.h"
#include "vigil/v1/worker.pb.h"

namespace vigil {

void ToProto(const AttemptId& id, v1::AttemptId* proto);
AttemptId FromProto(const v1::AttemptId& proto);

// Fills in the advice of the reason where there is none.
void ToProto(const Failure& failure, v1::Failure* proto);
Failure FromProto(const v1::Failure& proto);

void ToProto(const Exit& exit, v1::Exit* proto);
Exit FromProto(const v1::Exit& proto);

void ToProto(const NestedCall& call, v1::NestedCall* proto);
NestedCall FromProto(const v1::NestedCall& proto);

void ToProto(const ProcessFacts& process, v1::ProcessFacts* proto);
ProcessFacts FromProto(const v1::ProcessFacts& proto);

void ToProto(const Evidence& evidence, v1::Evidence* proto);
Evidence FromProto(const v1::Evidence& proto);

void ToProto(const Progress& progress, v1::Progress* proto);
Progress FromProto(const v1::Progress& proto);

void ToProto(const AttemptUpdate& update, v1::AttemptUpdate* proto);
AttemptUpdate FromProto(const v1::AttemptUpdate& proto);

void ToProto(const AttemptEnd& end, v1::AttemptEnd* proto);
AttemptEnd FromProto(const v1::AttemptEnd& proto);

void ToProto(const AttemptCheckpoint& checkpoint, v1::AttemptCheckpoint* proto);
AttemptCheckpoint FromProto(const v1::AttemptCheckpoint& proto);

void ToProto(const TaskTypeStatus& status, v1::TaskTypeStatus* proto);
TaskTypeStatus FromProto(const v1::TaskTypeStatus& proto);

}  // namespace vigil

#endif  // VIGIL_BASE_WIRE_ATTEMPT_WIRE_H_
