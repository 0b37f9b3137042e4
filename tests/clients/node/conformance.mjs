// Makes the checks of checks.txt with @grpc/grpc-js:
// conformance.mjs ADDRESS NAME...
import assert from "node:assert/strict";
import { argv, exit } from "node:process";
import { setTimeout as sleep } from "node:timers/promises";

import grpc from "@grpc/grpc-js";

import { loadVigil, runJob } from "./run_job.mjs";

// For one call; each takes a fraction of a second.
const TIMEOUT_MS = 30e3;
// Calls until the coordinator must have been full, and have had room again.
const CALLS_MAX = 40;

const [address, ...names] = argv.slice(2);
const vigil = loadVigil();
const credentials = grpc.credentials.createInsecure();
const jobs = new vigil.JobService(address, credentials);
const batches = new vigil.BatchService(address, credentials);

function within(timeoutMs = TIMEOUT_MS) {
  return { deadline: Date.now() + timeoutMs };
}

// A unary call as a promise.
function call(client, method, request, metadata = new grpc.Metadata()) {
  return new Promise((resolve, reject) => {
    client[method](request, metadata, within(), (error, answer) =>
      error ? reject(error) : resolve(answer));
  });
}

// A SubmitJobRequest for the driver's task.
function task(...words) {
  return { spec: { task_type: "task", arguments: words } };
}

async function submitJob(request) {
  return (await call(jobs, "SubmitJob", request)).job.job_id;
}

function cancelJob(job_id) {
  return call(jobs, "CancelJob", { job_id });
}

function watch(job_id, options = within()) {
  return jobs.WatchJob({ job_id }, options);
}

// The error that a promise must be rejected with.
async function refusal(code, promise) {
  let error;
  await promise.catch((caught) => { error = caught; });
  assert.equal(error?.code, code);
  return error;
}

// Runs `talk` and has the gate opened when the task waits for it.
async function talk(gate) {
  let output = "";
  const job = await runJob(jobs, { job: task("talk", gate) }, (data) => {
    const waiting = output.includes("3\n");
    output += data;
    if (!waiting && output.includes("3\n")) console.log(`do ${gate}`);
  }, TIMEOUT_MS);
  assert.equal(output, "1\n2\n3\n4\n5\n6\n");
  assert.equal(job.state, "STATE_SUCCEEDED");
  assert.equal(job.attempts.length, 1);
}

const checks = {
  async submit() {
    let last;
    for await (const { event } of watch(await submitJob(task("exit", "0")))) {
      last = event;
    }
    assert.equal(last.job.state, "STATE_SUCCEEDED");
  },

  tokens: () => talk("open"),
  resume_cut: () => talk("cut"),
  resume_restart: () => talk("restart"),

  async cancel() {
    const id = await submitJob(task("talk", "never"));
    let last;
    for await (const { event } of watch(id)) {
      if (event.output) await cancelJob(id);
      last = event;
    }
    assert.equal(last.job.state, "STATE_CANCELLED");
    assert.equal(last.job.failure.reason, "REASON_CANCELLED");
  },

  async batch_partial() {
    const spec = { job: { task_type: "task" }, mode: "MODE_SEQUENTIAL",
                   stop_rule: { failures: 1 } };
    let { batch } = await call(batches, "CreateBatch", { open: { spec } });
    const { batch_id } = batch;
    await call(batches, "AddItems", {
      batch_id, items: [..."0030"].map((n) => ({ arguments: ["exit", n] })) });
    const states = {};
    for await (const { event } of batches.WatchBatch({ batch_id }, within())) {
      for (const { index, job } of event.results) states[index] = job.state;
      if (event.batch) batch = event.batch;
    }
    assert.deepEqual(states, { 0: "STATE_SUCCEEDED", 1: "STATE_SUCCEEDED",
                               2: "STATE_FAILED" });
    assert.equal(batch.state, "STATE_ENDED");
    assert.equal(batch.partial, true);
    assert.equal(batch.stop_cause, "STOP_CAUSE_STOP_RULE");
    const { succeeded, failed, not_run } = batch.counts;
    assert.deepEqual([succeeded, failed, not_run], [2, 1, 1]);
  },

  async batch_stream() {
    const stream = batches.RunBatch(within());
    const [zero, one] = ["0", "1"].map((n) => ({ arguments: ["exit", n] }));
    stream.write({ open: { spec: { job: { task_type: "task" } } },
                   order: "RESULT_ORDER_BY_INDEX", items: [zero] });
    stream.write({ items: [one, zero], close: true });
    stream.end();
    const results = [];
    let batch;
    for await (const { event } of stream) {
      for (const { index, job } of event.results) {
        results.push([index, job.state]);
      }
      if (event.batch) batch = event.batch;
    }
    assert.deepEqual(results, [[0, "STATE_SUCCEEDED"], [1, "STATE_FAILED"],
                               [2, "STATE_SUCCEEDED"]]);
    assert.equal(batch.state, "STATE_ENDED");
    assert.equal(batch.partial, false);
  },

  async job_deadline() {
    const job = task("talk", "never");
    job.spec.timeouts = { inactivity_timeout: { nanos: 300e6 } };
    const ended = await runJob(jobs, { job }, () => {}, TIMEOUT_MS);
    assert.equal(ended.state, "STATE_FAILED");
    assert.equal(ended.failure.reason, "REASON_INACTIVITY_TIMEOUT");
    assert.match(ended.failure.message, /inactivity_timeout/);
    assert.notEqual(ended.failure.advice, "");
    const { seconds, nanos } = ended.attempts[0].evidence.silence;
    assert.ok(seconds + nanos / 1e9 >= 0.3);
  },

  async call_deadline() {
    const id = await submitJob(task("talk", "never"));
    await refusal(grpc.status.DEADLINE_EXCEEDED, (async () => {
      for await (const _ of watch(id, within(500)));
    })());
    const { job } = await call(jobs, "GetJob", { job_id: id });
    assert.equal(job.end_time, null);
    await cancelJob(id);
  },

  async resubmission() {
    const request = { ...task("exit", "0"), request_id: "node-resubmission" };
    const first = await call(jobs, "SubmitJob", request);
    const again = await call(jobs, "SubmitJob", request);
    assert.deepEqual([first.existed, again.existed], [false, true]);
    assert.equal(again.job.job_id, first.job.job_id);
    request.spec.priority = 1;
    await refusal(grpc.status.ALREADY_EXISTS,
                  call(jobs, "SubmitJob", request));
  },

  async nested_dispatch() {
    const metadata = new grpc.Metadata();
    metadata.set("vigil-task", "job=0123456789abcdef;attempt=1");
    const error = await refusal(
      grpc.status.FAILED_PRECONDITION,
      call(jobs, "SubmitJob", task("exit", "0"), metadata));
    assert.match(error.details, /^NESTED_DISPATCH.*job 0123456789abcdef/);
  },

  async invalid_argument() {
    const long = task("exit", "0");
    long.spec.timeouts = { inactivity_timeout: { seconds: 48 * 3600 } };
    const large = task("exit", "0");
    large.spec.input = Buffer.alloc((3 << 20) + 1);
    for (const [request, words] of [
      [long, /spec\.timeouts\.inactivity_timeout.*24h/],
      [large, /spec\.input.*3145728/]]) {
      const error = await refusal(grpc.status.INVALID_ARGUMENT,
                                  call(jobs, "SubmitJob", request));
      assert.match(error.details, words);
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
        assert.equal(error.code, grpc.status.RESOURCE_EXHAUSTED);
        if (!full) await cancelJob(ids.pop());
        full = true;
        await sleep(Number(error.metadata.get("grpc-retry-pushback-ms")[0]));
      }
    }
    for (const id of ids) await cancelJob(id);
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
jobs.close();
batches.close();
exit(0);
