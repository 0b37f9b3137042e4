// Runs a command on a coordinator and streams it: run_job ADDRESS PROGRAM ARG
//
// Needs google.golang.org/grpc and what protoc-gen-go and protoc-gen-go-grpc
// make of proto/vigil/v1, nothing else.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
	vigil "vigil.dev/proto/vigil/v1"
)

// RunJob runs a job to its end, over broken connections and restarts. If the
// context is cancelled, so is the job within 10 s.
func RunJob(ctx context.Context, client vigil.JobServiceClient,
	request *vigil.RunJobRequest, onOutput func([]byte)) (*vigil.Job, error) {
	if request.Job.RequestId == "" {
		// With it the same job may be asked for twice.
		id := make([]byte, 16)
		rand.Read(id)
		request.Job.RequestId = fmt.Sprintf("%x", id)
	}
	var job *vigil.Job
	var cursor []byte
	for {
		receive, err := open(ctx, client, request, job, cursor)
		for err == nil {
			var event *vigil.WatchEvent
			if event, err = receive(); err != nil {
				break
			}
			cursor = event.Cursor
			if event.GetJob() != nil {
				job = event.GetJob()
			} else if event.GetOutput() != nil {
				onOutput(event.GetOutput().Data)
			}
		}
		ended := errors.Is(err, io.EOF)
		if ended && job.GetState() >= vigil.Job_STATE_SUCCEEDED {
			return job, nil
		}
		// A coordinator that ends, or a connection that breaks: the job goes on.
		code := status.Code(err)
		if !ended && (ctx.Err() != nil ||
			code != codes.Unavailable && code != codes.Canceled) {
			return nil, err
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// Opens the job's first stream, or one that goes on behind the cursor. Returns
// what receives its next event.
func open(ctx context.Context, client vigil.JobServiceClient,
	request *vigil.RunJobRequest, job *vigil.Job,
	cursor []byte) (func() (*vigil.WatchEvent, error), error) {
	if job == nil {
		stream, err := client.RunJob(ctx, request)
		return func() (*vigil.WatchEvent, error) {
			response, err := stream.Recv()
			return response.GetEvent(), err
		}, err
	}
	stream, err := client.WatchJob(ctx, &vigil.WatchJobRequest{
		Namespace: job.Namespace, JobId: job.JobId, Cursor: cursor, TakeOver: true})
	return func() (*vigil.WatchEvent, error) {
		response, err := stream.Recv()
		return response.GetEvent(), err
	}, err
}

func main() {
	connection, err := grpc.Dial(os.Args[1], grpc.WithInsecure())
	if err != nil {
		panic(err)
	}
	defer connection.Close()
	job, err := RunJob(context.Background(), vigil.NewJobServiceClient(connection),
		&vigil.RunJobRequest{Job: &vigil.SubmitJobRequest{Spec: &vigil.JobSpec{
			Command:  &vigil.Command{Argv: os.Args[2:]},
			Timeouts: &vigil.Timeouts{InactivityTimeout: durationpb.New(5 * time.Second)},
		}}}, func(data []byte) { os.Stdout.Write(data) })
	if err != nil {
		panic(err)
	}
	fmt.Println(job.State, job.GetFailure().GetMessage())
	if job.State != vigil.Job_STATE_SUCCEEDED {
		os.Exit(1)
	}
}
