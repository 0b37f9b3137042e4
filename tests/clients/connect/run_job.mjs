// Runs a job over HTTP and streams it: run_job.mjs URL TASK_TYPE ARGUMENT...
//
// Needs @connectrpc/connect-node, and in `gen` what protoc-gen-es makes of
// proto/vigil/v1; a package.json says `"type": "module"`.
import { randomUUID } from "node:crypto";
import { argv, exit, stdout } from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";

import { Code, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";

import { Job_State } from "./gen/vigil/v1/job_pb.js";
import { JobService } from "./gen/vigil/v1/job_service_pb.js";

const ENDED = [Job_State.SUCCEEDED, Job_State.FAILED, Job_State.CANCELLED];
// A coordinator that ends, or a connection that breaks: the job goes on.
const CUT = [Code.Unavailable, Code.Canceled, Code.Aborted];

// Runs a RunJobRequest to its end, over broken connections and restarts.
export async function runJob(client, request, onOutput, timeoutMs = 3600e3) {
  const deadline = Date.now() + timeoutMs;
  // With it the same job may be asked for twice.
  request.job.requestId ||= randomUUID();
  let job, cursor;
  for (;;) {
    const options = { timeoutMs: Math.max(1, deadline - Date.now()) };
    const stream = !job
      ? client.runJob(request, options)
      : client.watchJob({ namespace: job.namespace, jobId: job.jobId, cursor,
                          takeOver: true }, options);
    try {
      for await (const response of stream) {
        const { event } = response.event;
        cursor = response.event.cursor;
        if (event.case === "job") job = event.value;
        if (event.case === "output") onOutput(event.value.data);
      }
      if (job && ENDED.includes(job.state)) return job;
    } catch (error) {
      if (!CUT.includes(error.code)) throw error;
    }
    await sleep(200);
  }
}

if (import.meta.url === pathToFileURL(argv[1]).href) {
  const [baseUrl, taskType, ...words] = argv.slice(2);
  const client = createClient(
    JobService, createConnectTransport({ baseUrl, httpVersion: "1.1" }));
  const job = await runJob(
    client, { job: { spec: { taskType, arguments: words } } },
    (data) => stdout.write(data));
  console.log(Job_State[job.state], job.failure?.message ?? "");
  exit(job.state === Job_State.SUCCEEDED ? 0 : 1);
}
