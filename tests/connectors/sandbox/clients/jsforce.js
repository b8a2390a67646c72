// Walks jsforce, unmodified, through what it can do against an org, and prints what came back as one JSON object.
// Environment: URL, CLIENT_ID, CLIENT_SECRET, USERNAME, PASSWORD.
const jsforce = require("jsforce");

const { URL: url, CLIENT_ID: clientId, CLIENT_SECRET: clientSecret } = process.env;
const seen = {};

async function main() {
  const login = new jsforce.Connection({ loginUrl: url, version: "62.0" });
  const user = await login.login(process.env.USERNAME, process.env.PASSWORD);
  seen.soap = { organization: user.organizationId, session: Boolean(login.accessToken) };

  const oauth = new jsforce.Connection({ oauth2: { loginUrl: url, clientId, clientSecret }, version: "62.0" });
  await oauth.authorize({ grant_type: "client_credentials" });
  seen.oauth = { session: Boolean(oauth.accessToken), instance: oauth.instanceUrl };

  const org = new jsforce.Connection({ instanceUrl: url, accessToken: oauth.accessToken, version: "62.0" });
  org.bulk2.pollInterval = 100;
  org.metadata.pollInterval = 100;

  const described = await org.sobject("Account").describe();
  seen.describe = { name: described.name, fields: described.fields.length, global: (await org.describeGlobal()).sobjects.length };

  const page = await org.query("SELECT Id, Name FROM Opportunity", { autoFetch: false });
  const paged = await org.query("SELECT Id, Account.Name FROM Opportunity", { autoFetch: true, maxFetch: 100000, headers: { "Sforce-Query-Options": "batchSize=200" } });
  seen.query = { total: page.totalSize, fetched: paged.records.length, parent: typeof paged.records[0].Account.Name };

  const made = await org.sobject("Account").create([{ Name: "One" }, { Name: "Two" }, { Description: "nameless" }], { allOrNone: false });
  seen.create = made.map((one) => one.success || one.errors[0].statusCode);
  const ids = made.filter((one) => one.success).map((one) => one.id);
  const changed = await org.sobject("Account").update(ids.map((Id) => ({ Id, Name: "Changed" })));
  seen.update = changed.map((one) => one.success);
  seen.retrieve = (await org.sobject("Account").retrieve(ids[0])).Name;

  const field = { fullName: "Account.Ext__c", label: "Ext", type: "Text", length: 20, externalId: true, unique: true };
  seen.metadata = await org.metadata.create("CustomField", field);
  seen.again = (await org.metadata.create("CustomField", field)).errors;
  seen.read = await org.metadata.read("CustomField", "Account.Ext__c");
  const grants = { fullName: "Reader", label: "Reader", fieldPermissions: [{ field: "Account.Ext__c", editable: true, readable: true }] };
  seen.upsertMetadata = await org.metadata.upsert("PermissionSet", grants);
  seen.types = (await org.metadata.describe()).metadataObjects.map((one) => one.xmlName);
  seen.listed = (await org.metadata.list({ type: "PermissionSet" })).map((one) => one.fullName);

  const tool = await org.tooling.query("SELECT Id, DeveloperName FROM CustomField WHERE DeveloperName = 'Ext'");
  seen.tooling = { total: tool.totalSize, full: (await org.tooling.sobject("CustomField").retrieve(tool.records[0].Id)).FullName };
  seen.toolingCreate = (await org.tooling.sobject("CustomField").create({ FullName: "Account.More__c", Metadata: { label: "More", type: "Checkbox", defaultValue: "false" } })).success;

  const reader = (await org.query("SELECT Id FROM PermissionSet WHERE Name = 'Reader'")).records[0].Id;
  const me = (await org.identity()).user_id;
  await org.sobject("PermissionSetAssignment").create({ PermissionSetId: reader, AssigneeId: me });
  const first = await org.sobject("Account").upsert({ Ext__c: "a/1", Name: "First" }, "Ext__c");
  const second = await org.sobject("Account").upsert({ Ext__c: "a/1", Name: "Second" }, "Ext__c");
  seen.upsert = [first.created, second.created];

  const loaded = await org.bulk2.loadAndWaitForResults({
    object: "Account", operation: "upsert", externalIdFieldName: "Ext__c", pollTimeout: 60000, pollInterval: 100,
    input: [{ Ext__c: "a/1", Name: "Third", Description: null }, { Ext__c: "b", Name: "Bulk, \"quoted\"\nline" }, { Ext__c: "c", Name: "" }],
  });
  seen.load = {
    created: loaded.successfulResults.map((row) => row.sf__Created), failed: loaded.failedResults.map((row) => row.sf__Error),
    unprocessed: loaded.unprocessedRecords.length,
  };
  const stream = await org.bulk2.query("SELECT Ext__c, Name, Parent.Name FROM Account WHERE Ext__c != null ORDER BY Ext__c", { pollTimeout: 60000, pollInterval: 100 });
  seen.bulkQuery = await stream.toArray();

  const gone = await org.sobject("Account").destroy(ids);
  org.bulk.pollInterval = 100;
  seen.bulkV1 = (await org.bulk.load("Account", "insert", [{ Name: "Old way", Description: "Named" }, { Name: null, Description: "Nameless" }])).map((one) => one.success);
  seen.bulkV1Query = await (await org.bulk.query("SELECT Name FROM Account WHERE Name = 'Old way'")).toArray();

  seen.destroy = gone.map((one) => one.success);
  seen.limits = org.limitInfo.apiUsage;
  try {
    await org.query("SELECT Nothing__c FROM Account");
  } catch (error) {
    seen.error = error.errorCode;
  }
}

main().then(
  () => console.log(JSON.stringify(seen)),
  (error) => {
    console.error(error.stack || error, JSON.stringify(seen));
    process.exit(1);
  },
);
