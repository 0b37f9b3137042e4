// Makes the checks of checks.txt with @connectrpc/connect-node:
// conformance.mjs grpc|connect URL NAME...
import assert from "node:assert/strict";
import { argv, exit } from "node:process";
import { setTimeout as sleep } from "node:timers/promises";

import { Code, createClient } from "@connectrpc/connect";
import {
  createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";

import * as batch_pb from "./gen/vigil/v1/batch_pb.js";
import { BatchService } from "./gen/vigil/v1/batch_service_pb.js";
import { Failure_Reason } from "./gen/vigil/v1/failure_pb.js";
import { Job_State } from "./gen/vigil/v1/job_pb.js";
import { JobService } from "./gen/vigil/v1/job_service_pb.js";
import { runJob } from "./run_job.mjs";

// For one call; each takes a fraction of a second.
const TIMEOUT_MS = 30e3;
// Calls until the coordinator must have been full, and have had room again.
const CALLS_MAX = 40;

const [protocol, baseUrl, ...names] = argv.slice(2);
const transport = protocol === "grpc"
  ? createGrpcTransport({ baseUrl, defaultTimeoutMs: TIMEOUT_MS })
  : createConnectTransport({
    baseUrl, httpVersion: "1.1", defaultTimeoutMs: TIMEOUT_MS });
const jobs = createClient(JobService, transport);
const batches = createClient(BatchService, transport);

// A SubmitJobRequest for the driver's task.
function task(...words) {
  return { spec: { taskType: "task", arguments: words } };
}

async function submitJob(request) {
  return (await jobs.submitJob(request)).job.jobId;
}

// A job's events, each as its oneof.
async function* watch(jobId, options) {
  for await (const { event } of jobs.watchJob({ jobId }, options)) {
    yield event.event;
  }
}

// The error that a promise must be rejected with.
async function refusal(code, promise) {
  let error;
  await promise.catch((caught) => { error = caught; });
  assert.equal(error?.code, code, String(error));
  return error;
}

// Runs `talk` and has the gate opened when the task waits for it.
async function talk(gate) {
  let output = "";
  const job = await runJob(jobs, { job: task("talk", gate) }, (data) => {
    const waiting = output.includes("3\n");
    output += Buffer.from(data).toString();
    if (!waiting && output.includes("3\n")) console.log(`do ${gate}`);
  }, TIMEOUT_MS);
  assert.equal(output, "1\n2\n3\n4\n5\n6\n");
  assert.equal(job.state, Job_State.SUCCEEDED);
  assert.equal(job.attempts.length, 1);
}

// The states of a batch's results, in their order, and the batch at its end.
async function collect(stream) {
  const results = [];
  let batch;
  for await (const { event } of stream) {
    for (const { index, outcome } of event.results) {
      results.push([Number(index), Job_State[outcome.value.state]]);
    }
    if (event.batch) batch = event.batch;
  }
  assert.equal(batch.state, batch_pb.Batch_State.ENDED);
  return [results, batch];
}

const checks = {
  async submit() {
    let last;
    for await (const event of watch(await submitJob(task("exit", "0")))) {
      last = event;
    }
    assert.equal(last.value.state, Job_State.SUCCEEDED);
  },

  tokens: () => talk("open"),
  resume_cut: () => talk("cut"),
  resume_restart: () => talk("restart"),

  async cancel() {
    const jobId = await submitJob(task("talk", "never"));
    let last;
    for await (const event of watch(jobId)) {
      if (event.case === "output") await jobs.cancelJob({ jobId });
      last = event;
    }
    assert.equal(last.value.state, Job_State.CANCELLED);
    assert.equal(last.value.failure.reason, Failure_Reason.CANCELLED);
  },

  async batch_partial() {
    const spec = { job: { taskType: "task" }, stopRule: { failures: 1n },
                   mode: batch_pb.BatchSpec_Mode.SEQUENTIAL };
    const made = await batches.createBatch({ open: { spec } });
    const { batchId } = made.batch;
    await batches.addItems({
      batchId, items: [..."0030"].map((n) => ({ arguments: ["exit", n] })) });
    const [results, batch] = await collect(batches.watchBatch({ batchId }));
    assert.deepEqual(results,
                     [[0, "SUCCEEDED"], [1, "SUCCEEDED"], [2, "FAILED"]]);
    assert.equal(batch.partial, true);
    assert.equal(batch.stopCause, batch_pb.Batch_StopCause.STOP_RULE);
    const { succeeded, failed, notRun } = batch.counts;
    assert.deepEqual([succeeded, failed, notRun], [2n, 1n, 1n]);
  },

  async batch_stream() {
    const [zero, one] = ["0", "1"].map((n) => ({ arguments: ["exit", n] }));
    async function* requests() {
      yield { open: { spec: { job: { taskType: "task" } } }, items: [zero],
              order: batch_pb.ResultOrder.BY_INDEX };
      yield { items: [one, zero], close: true };
    }
    const [results, batch] = await collect(batches.runBatch(requests()));
    assert.deepEqual(results,
                     [[0, "SUCCEEDED"], [1, "FAILED"], [2, "SUCCEEDED"]]);
    assert.equal(batch.partial, false);
  },

  async job_deadline() {
    const job = task("talk", "never");
    job.spec.timeouts = { inactivityTimeout: { nanos: 300e6 } };
    const ended = await runJob(jobs, { job }, () => {}, TIMEOUT_MS);
    assert.equal(ended.state, Job_State.FAILED);
    assert.equal(ended.failure.reason, Failure_Reason.INACTIVITY_TIMEOUT);
    assert.match(ended.failure.message, /inactivity_timeout/);
    assert.notEqual(ended.failure.advice, "");
    const { seconds, nanos } = ended.attempts[0].evidence.silence;
    assert.ok(Number(seconds) + nanos / 1e9 >= 0.3);
  },

  async call_deadline() {
    const jobId = await submitJob(task("talk", "never"));
    await refusal(Code.DeadlineExceeded, (async () => {
      for await (const _ of watch(jobId, { timeoutMs: 500 }));
    })());
    const { job } = await jobs.getJob({ jobId });
    assert.equal(job.endTime, undefined);
    await jobs.cancelJob({ jobId });
  },

  async resubmission() {
    const request = { ...task("exit", "0"),
                      requestId: `connect-resubmission-${protocol}` };
    const first = await jobs.submitJob(request);
    const again = await jobs.submitJob(request);
    assert.deepEqual([first.existed, again.existed], [false, true]);
    assert.equal(again.job.jobId, first.job.jobId);
    request.spec.priority = 1;
    await refusal(Code.AlreadyExists, jobs.submitJob(request));
  },

  async nested_dispatch() {
    const headers = { "vigil-task": "job=0123456789abcdef;attempt=1" };
    const error = await refusal(Code.FailedPrecondition,
                                jobs.submitJob(task("exit", "0"), { headers }));
    assert.match(error.rawMessage, /^NESTED_DISPATCH.*job 0123456789abcdef/);
  },

  async invalid_argument() {
    const long = task("exit", "0");
    long.spec.timeouts = { inactivityTimeout: { seconds: 48n * 3600n } };
    const large = task("exit", "0");
    large.spec.input = new Uint8Array((3 << 20) + 1);
    for (const [request, words] of [
      [long, /spec\.timeouts\.inactivity_timeout.*24h/],
      [large, /spec\.input.*3145728/]]) {
      const error = await refusal(Code.InvalidArgument,
                                  jobs.submitJob(request));
      assert.match(error.rawMessage, words);
    }
  },

  async pushback() {
    const ids = [];
    let full = false, accepted = false;
    for (let i = 0; i < CALLS_MAX && !accepted; i += 1) {
      try {
        ids.push(await submitJob(task("talk", "never")));
        accepted = full;
      } catch (error) {
        assert.equal(error.code, Code.ResourceExhausted);
        if (!full) await jobs.cancelJob({ jobId: ids.pop() });
        full = true;
        await sleep(Number(error.metadata.get("grpc-retry-pushback-ms")));
      }
    }
    for (const jobId of ids) await jobs.cancelJob({ jobId });
    assert.deepEqual([full, accepted], [true, true]);
  },
};

for (const name of names) {
  try {
    await checks[name]();
    console.log(`ok ${name}`);
  } catch (error) {
    console.log(`not ok ${name}: ${String(error).replace(/\s+/g, " ")}`);
  }
}
exit(0);
