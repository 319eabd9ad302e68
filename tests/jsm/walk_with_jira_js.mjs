// Walks the calls that jsmsso makes with npm's jira.js, a client we did not write, whose models refuse what they do not know.
// Arguments: the site's URL, email, token, the folder of the packages, the gateway's URL and a scoped token. Prints one JSON document of what it found.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [host, email, apiToken, packages, gateway, scopedToken] = process.argv.slice(2);
// By path: the package knows only `import`, which looks beside this file and not where the tests' packages are.
const part = (name) => import(pathToFileURL(join(packages, 'jira.js', 'dist', name, 'index.js')));
const { createClient } = await part('core');
const { createCloudClient } = await part('cloud');
const { createServiceDeskClient, PagedRequestTypeSchema, PagedUserSchema } = await part('serviceDesk');

const auth = email ? { type: 'basic', email, apiToken } : { type: 'bearer', token: apiToken };
const client = createClient({ host, auth, onSchemaMismatch: 'throw' });
const jira = createCloudClient(client);
const jsm = createServiceDeskClient(client);

const pages = async (next) => {
  const found = [];
  for (let start = 0, page; !page?.isLastPage; start += page.size) {
    page = await next(start);
    found.push(...page.values);
  }
  return found;
};

const desks = await pages((start) => jsm.servicedesk.getServiceDesks({ start, limit: 2 }));
const projects = desks.map((desk) => Number(desk.projectId));
const permissions = ['SERVICEDESK_AGENT', 'ADMINISTER_PROJECTS'];

// A customer's way: created, found, added to a desk, put into an organization of that desk, and all of it taken back.
const { accountId } = await jsm.customer.createCustomer({ email: 'ann@acme.com', displayName: 'Ann Acme', strictConflictStatusCode: true });
const refused = await jsm.customer
  .createCustomer({ email: 'ann@acme.com', displayName: 'Ann again', strictConflictStatusCode: true })
  .catch((error) => error.status);
const serviceDeskId = desks[0].id;
await jsm.servicedesk.addCustomers({ serviceDeskId, accountIds: [accountId] });
// The list of a desk's customers is experimental, which jira.js leaves out; its client and its model of the page serve as well.
const customers = await client.sendRequest({
  url: `/rest/servicedeskapi/servicedesk/${serviceDeskId}/customer`,
  method: 'GET',
  headers: { 'X-ExperimentalApi': 'opt-in' },
  searchParams: { query: 'ann@acme.com' },
  schema: PagedUserSchema,
});
const organizationId = Number((await jsm.organization.createOrganization({ name: 'Acme' })).id);
await jsm.organization.addUsersToOrganization({ organizationId, body: { accountIds: [accountId] } });
await jsm.organization.addOrganization({ serviceDeskId, body: { organizationId } });
const customer = {
  refused,
  found: (await jira.userSearch.findUsers({ query: 'ann@acme.com' })).map((user) => user.accountType),
  named: (await jira.users.getUser({ accountId })).displayName,
  listed: customers.values.map((user) => user.emailAddress),
  all: (await pages((start) => jsm.organization.getOrganizations({ start, limit: 2 }))).map((organization) => organization.name),
  own: (await jsm.organization.getOrganizations({ accountId })).values.map((organization) => organization.name),
  ofDesk: (await jsm.organization.getServiceDeskOrganizations({ serviceDeskId, accountId })).values.map((organization) => organization.name),
  members: (await jsm.organization.getUsersInOrganization({ organizationId })).values.map((user) => user.displayName),
};
await jsm.organization.removeUsersFromOrganization({ organizationId, body: { accountIds: [accountId] } });
await jsm.organization.removeOrganization({ serviceDeskId, body: { organizationId } });
customer.left = (await jsm.organization.getUsersInOrganization({ organizationId })).size;
customer.organization = (await jsm.organization.getOrganization({ organizationId })).name;
await jsm.organization.deleteOrganization({ organizationId });

const behind = createClient({ host: gateway, auth: { type: 'basic', email, apiToken: scopedToken }, onSchemaMismatch: 'throw' });
const found = {
  customer,
  gateway: (await createCloudClient(behind).myself.getCurrentUser()).emailAddress,
  site: (await jira.serverInfo.getServerInfo()).deploymentType,
  myself: (await jira.myself.getCurrentUser()).accountId,
  desks: desks.map((desk) => desk.projectKey),
  desk: (await jsm.servicedesk.getServiceDeskById({ serviceDeskId: desks[0].id })).projectName,
  portals: (await pages((start) => jsm.servicedesk.getRequestTypes({ serviceDeskId: desks[0].id, start, limit: 2 }))).map((type) => type.portalId),
  // jira.js has no function for the types of all desks; its client and its model of the page serve as well.
  types: (
    await pages((start) =>
      client.sendRequest({
        url: '/rest/servicedeskapi/requesttype',
        method: 'GET',
        headers: { 'X-ExperimentalApi': 'opt-in' },
        searchParams: { start, limit: 2 },
        schema: PagedRequestTypeSchema,
      }),
    )
  ).map((type) => `${type.serviceDeskId}:${type.portalId}:${type.name}`),
  mine: Object.entries((await jira.permissions.getMyPermissions({ projectKey: desks[0].projectKey, permissions: permissions.join(',') })).permissions)
    .filter(([, permission]) => permission.havePermission)
    .map(([key]) => key),
  bulk: (await jira.permissions.getBulkPermissions({ projectPermissions: [{ permissions, projects }] })).projectPermissions,
  licensed: (await jsm.info.getInfo()).isLicensedForUse,
};
console.log(JSON.stringify(found));
