// Runs a command on a coordinator and streams it:
// run_job.mjs ADDRESS PROGRAM ARG...
//
// Needs @grpc/grpc-js, @grpc/proto-loader and the directory `proto`, whose name
// is in VIGIL_PROTO unless it is here.
import { randomUUID } from "node:crypto";
import { argv, env, exit, stdout } from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";

import grpc from "@grpc/grpc-js";
import loader from "@grpc/proto-loader";

const ENDED = ["STATE_SUCCEEDED", "STATE_FAILED", "STATE_CANCELLED"];
// A coordinator that ends, or a connection that breaks: the job goes on.
const CUT = [grpc.status.UNAVAILABLE, grpc.status.CANCELLED];

// The package vigil.v1.
export function loadVigil() {
  const names = ["job_service", "batch_service"];
  return grpc.loadPackageDefinition(loader.loadSync(
    names.map((name) => `vigil/v1/${name}.proto`),
    { includeDirs: [env.VIGIL_PROTO ?? "proto"], keepCase: true, longs: Number,
      enums: String, defaults: true })).vigil.v1;
}

// Runs a RunJobRequest to its end, over broken connections and restarts.
export async function runJob(client, request, onOutput, timeoutMs = 3600e3) {
  const deadline = Date.now() + timeoutMs;
  // With it the same job may be asked for twice.
  request.job.request_id ||= randomUUID();
  let job, cursor;
  for (;;) {
    const stream = !job
      ? client.RunJob(request, { deadline })
      : client.WatchJob({ namespace: job.namespace, job_id: job.job_id, cursor,
                          take_over: true }, { deadline });
    try {
      for await (const { event } of stream) {
        cursor = event.cursor;
        if (event.job) job = event.job;
        if (event.output) onOutput(event.output.data);
      }
      if (job && ENDED.includes(job.state)) return job;
    } catch (error) {
      if (!CUT.includes(error.code)) throw error;
    }
    await sleep(200);
  }
}

if (import.meta.url === pathToFileURL(argv[1]).href) {
  const client = new (loadVigil().JobService)(
    argv[2], grpc.credentials.createInsecure());
  const spec = { command: { argv: argv.slice(3) },
                 timeouts: { inactivity_timeout: { seconds: 5 } } };
  const job = await runJob(
    client, { job: { spec } }, (data) => stdout.write(data));
  console.log(job.state, job.failure?.message ?? "");
  exit(job.state === "STATE_SUCCEEDED" ? 0 : 1);
}
