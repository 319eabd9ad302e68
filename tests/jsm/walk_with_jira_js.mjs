// Walks the calls that jsmsso makes with npm's jira.js, a client we did not write, whose models refuse what they do not know.
// Arguments: the site's URL, email, token, and the folder of the packages. Prints one JSON document of what it found.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [host, email, apiToken, packages] = process.argv.slice(2);
// By path: the package knows only `import`, which looks beside this file and not where the tests' packages are.
const part = (name) => import(pathToFileURL(join(packages, 'jira.js', 'dist', name, 'index.js')));
const { createClient } = await part('core');
const { createCloudClient } = await part('cloud');
const { createServiceDeskClient, PagedRequestTypeSchema } = await part('serviceDesk');

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
const found = {
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
