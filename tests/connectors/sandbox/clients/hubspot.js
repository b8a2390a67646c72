// Walks @hubspot/api-client, unmodified, through a portal, and prints what came back as one JSON object.
// Environment: URL, TOKEN, CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN.
const { Client } = require("@hubspot/api-client");

const { URL: basePath, TOKEN: accessToken, CLIENT_ID: clientId, CLIENT_SECRET: clientSecret } = process.env;
const seen = {};

// Faults are switched on where the sandbox listens for them; everything else goes through the client.
async function fault(wanted) {
  const reply = await fetch(`${basePath}/sandbox/faults`, { method: "POST", body: JSON.stringify(wanted) });
  if (!reply.ok) throw new Error(await reply.text());
}

async function main() {
  const options = { accessToken, basePath, limiterOptions: { minTime: 0, maxConcurrent: 6 } };
  const client = new Client(options);
  const { companies, deals, objects, associations, properties, owners, pipelines, imports, exports } = client.crm;

  const page = await companies.basicApi.getPage(5, undefined, ["name", "phone"]);
  const all = await companies.getAll(undefined, undefined, ["name"]);
  seen.page = {
    count: page.results.length, all: all.length, after: Boolean(page.paging.next.after),
    date: page.results[0].updatedAt instanceof Date && !Number.isNaN(page.results[0].updatedAt.getTime()),
    keys: Object.keys(page.results[0].properties).sort(),
  };
  const ids = page.results.map((one) => one.id);

  const stages = (await pipelines.pipelinesApi.getAll("deals")).results[0].stages;
  const made = await deals.basicApi.create({ properties: { dealname: "New", dealstage: stages[0].id, amount: "12" }, associations: [] });
  const changed = await deals.basicApi.update(made.id, { properties: { amount: "13" } });
  const history = await deals.basicApi.getById(made.id, undefined, ["amount"]);
  seen.record = {
    amount: changed.properties.amount, created: made.createdAt instanceof Date,
    history: history.propertiesWithHistory.amount.map((one) => one.value),
    historyDate: history.propertiesWithHistory.amount[0].timestamp instanceof Date,
  };

  const good = await companies.batchApi.update({ inputs: ids.map((id) => ({ id, properties: { phone: "1" } })) });
  const partial = await companies.batchApi.update({ inputs: [{ id: ids[0], properties: { phone: "2" } }, { id: "99", properties: { phone: "2" } }] });
  seen.batch = { status: good.status, good: good.results.length, numErrors: partial.numErrors, ids: partial.errors[0].context.ids };

  const search = { filterGroups: [{ filters: [{ propertyName: "hs_is_closed", operator: "EQ", value: "true" }] }], sorts: ["hs_object_id"], properties: ["amount"], limit: 3 };
  const first = await deals.searchApi.doSearch(search);
  const second = await deals.searchApi.doSearch({ ...search, after: first.paging.next.after });
  seen.search = { total: first.total, found: new Set([...first.results, ...second.results].map((one) => one.id)).size };

  const link = (typeId) => [{ associationCategory: "HUBSPOT_DEFINED", associationTypeId: typeId }];
  const task = await objects.tasks.basicApi.create({
    properties: { hs_timestamp: "2026-01-31T00:00:00Z", hs_task_subject: "Call" },
    associations: [{ to: { id: ids[0] }, types: link(192) }, { to: { id: made.id }, types: link(216) }],
  });
  const linked = await associations.v4.basicApi.getPage("deals", made.id, "tasks");
  const batch = await associations.v4.batchApi.getPage("tasks", "companies", { inputs: [{ id: task.id }] });
  seen.associations = {
    task: linked.results.map((one) => String(one.toObjectId)).includes(task.id), types: batch.results[0].to[0].associationTypes.map((one) => one.typeId),
    company: String(batch.results[0].to[0].toObjectId) === ids[0],
  };
  await deals.basicApi.archive(made.id);
  seen.archived = (await deals.getAll(undefined, undefined, undefined, undefined, undefined, true)).map((one) => one.id).includes(made.id);

  await properties.groupsApi.create("companies", { name: "ours", label: "Ours", displayOrder: -1 });
  const property = { name: "foretag_test", label: "Test", type: "number", fieldType: "number", groupName: "ours" };
  seen.property = (await properties.coreApi.create("companies", property)).groupName;
  seen.twice = await properties.coreApi.create("companies", property).catch((error) => error.code);
  seen.properties = (await properties.coreApi.getAll("companies")).results.map((one) => one.name).includes("foretag_test");
  seen.owners = (await owners.ownersApi.getPage()).results[0].teams.length;
  seen.account = (await (await client.apiRequest({ path: "/account-info/v3/details" })).json()).accountType;

  const columns = [{ columnName: "Record ID", propertyName: "hs_object_id", columnType: "HUBSPOT_OBJECT_ID" }, { columnName: "phone", propertyName: "phone" }];
  const request = {
    name: "scores", importOperations: { "0-2": "UPDATE" },
    files: [{ fileName: "s.csv", fileFormat: "CSV", fileImportPage: { hasHeader: true, columnMappings: columns.map((one) => ({ ...one, columnObjectTypeId: "0-2" })) } }],
  };
  const begun = await imports.coreApi.create({ data: Buffer.from(`Record ID,phone\n${ids[0]},42\n1,43\n`), name: "s.csv" }, JSON.stringify(request));
  const ended = await imports.coreApi.getById(Number(begun.id));
  const errors = await imports.publicImportsApi.getErrors(Number(begun.id));
  seen.import = { state: ended.state, counters: ended.metadata.counters, errors: errors.results.map((one) => one.errorType), date: ended.createdAt instanceof Date };

  // The client's own start() fails before it sends anything: its serializer knows no types that are one of several.
  const view = {
    exportType: "VIEW", exportName: "All companies", format: "CSV", language: "EN", objectType: "COMPANY", objectProperties: ["name"],
    exportInternalValuesOptions: ["NAMES"], overrideAssociatedObjectsPerDefinitionPerRowLimit: false,
    publicCrmSearchRequest: { filters: [], query: "", sorts: [] },
  };
  const reply = await client.apiRequest({ method: "POST", path: "/crm/v3/exports/export/async", body: view });
  const started = await reply.json();
  const told = await exports.publicExportsApi.getStatus(Number(started.id));
  seen.export = { status: told.status, lines: (await (await fetch(told.result)).text()).trim().split("\n").length };

  const tokens = await new Client({ basePath }).oauth.tokensApi.create("refresh_token", undefined, undefined, clientId, clientSecret, process.env.REFRESH_TOKEN);
  client.setAccessToken(tokens.accessToken);
  seen.oauth = { expires: tokens.expiresIn, works: (await client.crm.companies.basicApi.getPage(1)).results.length };

  // Its retry goes by the exact words of a 429: one second for searches, ten for the others, none for the daily limit.
  const patient = new Client({ ...options, numberOfApiCallRetries: 3 });
  const waits = [];
  const wait = global.setTimeout;
  global.setTimeout = (work, time, ...rest) => {
    if (time === 10000) waits.push(time);
    return wait(work, time === 10000 ? 0 : time, ...rest);
  };
  await fault({ kind: "rate_limit", policy: "secondly", match: "/search" });
  seen.retried = (await patient.crm.deals.searchApi.doSearch({ ...search, limit: 1 })).results.length;
  await fault({ kind: "rate_limit", policy: "ten_secondly_rolling", match: "GET /crm/v3/objects" });
  seen.waited = [(await patient.crm.companies.basicApi.getPage(1)).results.length, waits];
  await fault({ kind: "rate_limit", policy: "daily", match: "/search" });
  seen.given_up = await patient.crm.deals.searchApi.doSearch(search).catch((error) => [error.code, error.body.policyName]);
  await fault({ kind: "status", status: 503, match: "GET /crm/v3/owners" });
  seen.after503 = (await patient.crm.owners.ownersApi.getPage()).results.length > 0;
}

main().then(
  () => console.log(JSON.stringify(seen)),
  (error) => {
    console.error(error.stack || error, JSON.stringify(error.body || null), JSON.stringify(seen));
    process.exit(1);
  },
);
