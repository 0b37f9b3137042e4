// Makes the checks of checks.txt in Go: conformance ADDRESS NAME..., as a test
// binary, so that it has RunJob of run_job.go beside it.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
	vigil "vigil.dev/proto/vigil/v1"
)

// For one check; each takes a fraction of a second, but pushback.
const timeout = 60 * time.Second

// Calls until the coordinator must have been full, and have had room again.
const callsMax = 40

type checks struct {
	ctx     context.Context
	jobs    vigil.JobServiceClient
	batches vigil.BatchServiceClient
}

// Ends the check that runs; makeCheck() reports it.
type failed struct{ why string }

func expect(good bool, format string, got ...interface{}) {
	if !good {
		panic(failed{fmt.Sprintf(format, got...)})
	}
}

func must(err error) {
	expect(err == nil, "%v", err)
}

func expectCode(err error, code codes.Code) string {
	expect(status.Code(err) == code, "%v, not %v", err, code)
	return status.Convert(err).Message()
}

func task(words ...string) *vigil.SubmitJobRequest {
	return &vigil.SubmitJobRequest{
		Spec: &vigil.JobSpec{TaskType: "task", Arguments: words}}
}

func (c *checks) submitJob(request *vigil.SubmitJobRequest) string {
	answer, err := c.jobs.SubmitJob(c.ctx, request)
	must(err)
	return answer.Job.JobId
}

func (c *checks) cancelJob(id string) {
	_, err := c.jobs.CancelJob(c.ctx, &vigil.CancelJobRequest{JobId: id})
	must(err)
}

// Calls back for each event of a job, and returns the error that ended it.
func (c *checks) watch(ctx context.Context, id string,
	onEvent func(*vigil.WatchEvent)) error {
	stream, err := c.jobs.WatchJob(ctx, &vigil.WatchJobRequest{JobId: id})
	for err == nil {
		var response *vigil.WatchJobResponse
		if response, err = stream.Recv(); err == nil {
			onEvent(response.Event)
		}
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// Runs `talk` and has the gate opened when the task waits for it.
func (c *checks) talk(gate string) {
	var output []byte
	job, err := RunJob(c.ctx, c.jobs,
		&vigil.RunJobRequest{Job: task("talk", gate)}, func(data []byte) {
			waiting := bytes.Contains(output, []byte("3\n"))
			output = append(output, data...)
			if !waiting && bytes.Contains(output, []byte("3\n")) {
				fmt.Println("do", gate)
			}
		})
	must(err)
	expect(string(output) == "1\n2\n3\n4\n5\n6\n", "output %q", output)
	expect(job.State == vigil.Job_STATE_SUCCEEDED, "%v", job)
	expect(len(job.Attempts) == 1, "%v", job)
}

func (c *checks) submit() {
	var last *vigil.Job
	must(c.watch(c.ctx, c.submitJob(task("exit", "0")),
		func(event *vigil.WatchEvent) { last = event.GetJob() }))
	expect(last.GetState() == vigil.Job_STATE_SUCCEEDED, "%v", last)
}

func (c *checks) tokens()        { c.talk("open") }
func (c *checks) resumeCut()     { c.talk("cut") }
func (c *checks) resumeRestart() { c.talk("restart") }

func (c *checks) cancel() {
	id := c.submitJob(task("talk", "never"))
	var last *vigil.Job
	must(c.watch(c.ctx, id, func(event *vigil.WatchEvent) {
		if event.GetOutput() != nil {
			c.cancelJob(id)
		}
		last = event.GetJob()
	}))
	expect(last.GetState() == vigil.Job_STATE_CANCELLED, "%v", last)
	expect(last.Failure.Reason == vigil.Failure_REASON_CANCELLED, "%v", last)
}

func exits(statuses string) (items []*vigil.BatchItem) {
	for _, status := range strings.Split(statuses, "") {
		items = append(items,
			&vigil.BatchItem{Arguments: []string{"exit", status}})
	}
	return items
}

// Has the states of a batch's results, in their order, and the batch at its end.
func collect(next func() (*vigil.BatchEvent, error)) (string, *vigil.Batch) {
	states := ""
	var batch *vigil.Batch
	for {
		event, err := next()
		if errors.Is(err, io.EOF) {
			return states, batch
		}
		must(err)
		for _, result := range event.Results {
			states += fmt.Sprintf("%d %v;", result.Index, result.GetJob().State)
		}
		if event.Batch != nil {
			batch = event.Batch
		}
	}
}

func (c *checks) batchPartial() {
	made, err := c.batches.CreateBatch(c.ctx, &vigil.CreateBatchRequest{
		Open: &vigil.OpenBatch{Spec: &vigil.BatchSpec{
			Job:      &vigil.JobSpec{TaskType: "task"},
			Mode:     vigil.BatchSpec_MODE_SEQUENTIAL,
			StopRule: &vigil.StopRule{Failures: 1}}}})
	must(err)
	id := made.Batch.BatchId
	_, err = c.batches.AddItems(c.ctx, &vigil.AddItemsRequest{
		BatchId: id, Items: exits("0030")})
	must(err)
	stream, err := c.batches.WatchBatch(c.ctx,
		&vigil.WatchBatchRequest{BatchId: id})
	must(err)
	states, batch := collect(func() (*vigil.BatchEvent, error) {
		response, err := stream.Recv()
		return response.GetEvent(), err
	})
	expect(states == "0 STATE_SUCCEEDED;1 STATE_SUCCEEDED;2 STATE_FAILED;",
		"%v", states)
	expect(batch.State == vigil.Batch_STATE_ENDED && batch.Partial, "%v", batch)
	expect(batch.StopCause == vigil.Batch_STOP_CAUSE_STOP_RULE, "%v", batch)
	counts := batch.Counts
	expect(counts.Succeeded == 2 && counts.Failed == 1 && counts.NotRun == 1,
		"%v", counts)
}

func (c *checks) batchStream() {
	stream, err := c.batches.RunBatch(c.ctx)
	must(err)
	must(stream.Send(&vigil.RunBatchRequest{
		Open: &vigil.OpenBatch{Spec: &vigil.BatchSpec{
			Job: &vigil.JobSpec{TaskType: "task"}}},
		Order: vigil.ResultOrder_RESULT_ORDER_BY_INDEX,
		Items: exits("0")}))
	must(stream.Send(&vigil.RunBatchRequest{Items: exits("10"), Close: true}))
	must(stream.CloseSend())
	states, batch := collect(func() (*vigil.BatchEvent, error) {
		response, err := stream.Recv()
		return response.GetEvent(), err
	})
	expect(states == "0 STATE_SUCCEEDED;1 STATE_FAILED;2 STATE_SUCCEEDED;",
		"%v", states)
	expect(batch.State == vigil.Batch_STATE_ENDED, "%v", batch)
	expect(!batch.Partial, "%v", batch)
}

func (c *checks) jobDeadline() {
	request := task("talk", "never")
	request.Spec.Timeouts = &vigil.Timeouts{
		InactivityTimeout: durationpb.New(300 * time.Millisecond)}
	job, err := RunJob(c.ctx, c.jobs, &vigil.RunJobRequest{Job: request},
		func([]byte) {})
	must(err)
	expect(job.State == vigil.Job_STATE_FAILED, "%v", job)
	failure := job.Failure
	expect(failure.Reason == vigil.Failure_REASON_INACTIVITY_TIMEOUT,
		"%v", failure)
	expect(strings.Contains(failure.Message, "inactivity_timeout"), "%v", failure)
	expect(failure.Advice != "", "%v", failure)
	silence := job.Attempts[0].Evidence.Silence.AsDuration()
	expect(silence >= 300*time.Millisecond, "%v", silence)
}

func (c *checks) callDeadline() {
	id := c.submitJob(task("talk", "never"))
	ctx, cancel := context.WithTimeout(c.ctx, 500*time.Millisecond)
	defer cancel()
	expectCode(c.watch(ctx, id, func(*vigil.WatchEvent) {}),
		codes.DeadlineExceeded)
	answer, err := c.jobs.GetJob(c.ctx, &vigil.GetJobRequest{JobId: id})
	must(err)
	expect(answer.Job.EndTime == nil, "%v", answer)
	c.cancelJob(id)
}

func (c *checks) resubmission() {
	request := task("exit", "0")
	request.RequestId = "go-resubmission"
	first, err := c.jobs.SubmitJob(c.ctx, request)
	must(err)
	again, err := c.jobs.SubmitJob(c.ctx, request)
	must(err)
	expect(!first.Existed && again.Existed, "%v %v", first, again)
	expect(again.Job.JobId == first.Job.JobId, "%v %v", first, again)
	request.Spec.Priority = 1
	_, err = c.jobs.SubmitJob(c.ctx, request)
	expectCode(err, codes.AlreadyExists)
}

func (c *checks) nestedDispatch() {
	ctx := metadata.AppendToOutgoingContext(
		c.ctx, "vigil-task", "job=0123456789abcdef;attempt=1")
	_, err := c.jobs.SubmitJob(ctx, task("exit", "0"))
	words := expectCode(err, codes.FailedPrecondition)
	expect(strings.HasPrefix(words, "NESTED_DISPATCH") &&
		strings.Contains(words, "job 0123456789abcdef"), "%v", words)
}

func (c *checks) invalidArgument() {
	long, large := task("exit", "0"), task("exit", "0")
	long.Spec.Timeouts = &vigil.Timeouts{
		InactivityTimeout: durationpb.New(48 * time.Hour)}
	large.Spec.Input = make([]byte, 3<<20+1)
	_, err := c.jobs.SubmitJob(c.ctx, long)
	words := expectCode(err, codes.InvalidArgument)
	expect(strings.Contains(words, "spec.timeouts.inactivity_timeout") &&
		strings.Contains(words, "24h"), "%v", words)
	_, err = c.jobs.SubmitJob(c.ctx, large)
	words = expectCode(err, codes.InvalidArgument)
	expect(strings.Contains(words, "spec.input") &&
		strings.Contains(words, "3145728"), "%v", words)
}

func (c *checks) pushback() {
	var ids []string
	full, accepted := false, false
	for i := 0; i < callsMax && !accepted; i++ {
		var trailer metadata.MD
		answer, err := c.jobs.SubmitJob(
			c.ctx, task("talk", "never"), grpc.Trailer(&trailer))
		if err == nil {
			ids = append(ids, answer.Job.JobId)
			accepted = full
			continue
		}
		expectCode(err, codes.ResourceExhausted)
		if !full {
			c.cancelJob(ids[0])
			ids = ids[1:]
		}
		full = true
		wait, err := strconv.Atoi(trailer.Get("grpc-retry-pushback-ms")[0])
		must(err)
		time.Sleep(time.Duration(wait) * time.Millisecond)
	}
	for _, id := range ids {
		c.cancelJob(id)
	}
	expect(full && accepted, "full %v, accepted %v", full, accepted)
}

func makeCheck(connection *grpc.ClientConn, name string) (why string) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	defer func() {
		if problem := recover(); problem != nil {
			why = strings.Join(strings.Fields(fmt.Sprint(problem)), " ")
		}
	}()
	c := &checks{ctx, vigil.NewJobServiceClient(connection),
		vigil.NewBatchServiceClient(connection)}
	map[string]func(){
		"submit": c.submit, "tokens": c.tokens, "resume_cut": c.resumeCut,
		"resume_restart": c.resumeRestart, "cancel": c.cancel,
		"batch_partial": c.batchPartial, "batch_stream": c.batchStream,
		"job_deadline": c.jobDeadline, "call_deadline": c.callDeadline,
		"resubmission": c.resubmission, "nested_dispatch": c.nestedDispatch,
		"invalid_argument": c.invalidArgument, "pushback": c.pushback,
	}[name]()
	return ""
}

func TestMain(*testing.M) {
	connection, err := grpc.Dial(os.Args[1], grpc.WithInsecure())
	if err != nil {
		panic(err)
	}
	defer connection.Close()
	for _, name := range os.Args[2:] {
		if why := makeCheck(connection, name); why == "" {
			fmt.Println("ok", name)
		} else {
			fmt.Printf("not ok %s: %s\n", name, why)
		}
	}
}
