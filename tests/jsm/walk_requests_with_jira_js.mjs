// A request's way with npm's jira.js, whose models refuse what they do not know: raised, read, found, answered, shared, closed.
// Arguments: the site's URL, email, token, the folder of the packages, the customer's account id. Prints one JSON document.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [host, email, apiToken, packages, customer] = process.argv.slice(2);
const part = (name) => import(pathToFileURL(join(packages, 'jira.js', 'dist', name, 'index.js')));
const { createClient } = await part('core');
const { createCloudClient } = await part('cloud');
const { createServiceDeskClient, AttachTemporaryFileSchema } = await part('serviceDesk');

const client = createClient({ host, auth: { type: 'basic', email, apiToken }, onSchemaMismatch: 'throw' });
const jira = createCloudClient(client);
const jsm = createServiceDeskClient(client);
const serviceDeskId = '1';

const groups = (await jsm.servicedesk.getRequestTypeGroups({ serviceDeskId })).values;
const type = (await jsm.servicedesk.getRequestTypes({ serviceDeskId, groupId: Number(groups[1].id) })).values[0];
const form = await jsm.servicedesk.getRequestTypeFields({ serviceDeskId, requestTypeId: Number(type.id) });
const icon = await jira.avatars.getAvatarImageByID({ type: 'SD_REQTYPE', id: type.icon.id, size: 'large' });

const file = new FormData();
file.append('file', new Blob(['hello']), 'hello.txt');
// jira.js has a function for this, without the header that Atlassian wants; its client and its model serve as well.
const { temporaryAttachments } = await client.sendRequest({
  url: `/rest/servicedeskapi/servicedesk/${serviceDeskId}/attachTemporaryFile`,
  method: 'POST',
  headers: { 'X-Atlassian-Token': 'no-check' },
  body: file,
  schema: AttachTemporaryFileSchema,
});
const { issueKey, issueId } = await jsm.request.createCustomerRequest({
  serviceDeskId,
  requestTypeId: type.id,
  raiseOnBehalfOf: customer,
  isAdfRequest: true,
  requestFieldValues: {
    summary: 'A laptop',
    description: { type: 'doc', version: 1, content: [{ type: 'paragraph', content: [{ type: 'text', text: 'Soon' }] }] },
    customfield_10122: '2026-12-31',
  },
});
const issueIdOrKey = issueKey;
const answered = await jsm.request.createCommentWithAttachment({
  issueIdOrKey,
  temporaryAttachmentIds: temporaryAttachments.map((one) => one.temporaryAttachmentId),
  public: true,
  additionalComment: { body: 'See the file.' },
});
const comment = await jsm.request.createRequestComment({ issueIdOrKey, body: 'internal', public: false });
await jira.issueCommentProperties.setCommentProperty({ commentId: comment.id, propertyKey: 'who', body: { accountId: customer } });
const [kept] = (await jira.issueComments.getCommentsByIds({ ids: [Number(comment.id)], expand: 'properties' })).values;

const attachment = (await jsm.request.getAttachmentsForRequest({ issueIdOrKey })).values[0];
const attachmentId = attachment._links.self.split('/').at(-1);
const text = async (content) => (content.text ? content.text() : Buffer.from(content).toString());
const organization = await jsm.organization.createOrganization({ name: 'Acme' });
const fields = await jira.issueFields.getFields();
const organizations = fields.find((field) => field.schema?.custom === 'com.atlassian.servicedesk:sd-customer-organizations').id;
await jira.issues.editIssue({ issueIdOrKey, fields: { [organizations]: [Number(organization.id)] } });
const issue = await jira.issues.getIssue({ issueIdOrKey, fields: [organizations, 'reporter'] });
const found = await jira.issueSearch.searchAndReconsileIssuesUsingJqlPost({
  jql: `reporter = "${customer}" AND text ~ "laptop" ORDER BY updated DESC`,
  fields: ['summary', 'status'],
  reconcileIssues: [Number(issueId)],
});
const transition = (await jsm.request.getCustomerTransitions({ issueIdOrKey })).values.find((one) => one.name === 'Resolve this issue');
await jsm.request.performCustomerTransition({ issueIdOrKey, id: transition.id });
const accountId = (await jira.myself.getCurrentUser()).accountId;

console.log(
  JSON.stringify({
    groups: groups.map((group) => group.name),
    fields: form.requestTypeFields.map((field) => field.name),
    icon: icon.type,
    reporter: (await jsm.request.getCustomerRequestByIdOrKey({ issueIdOrKey, expand: ['requestType'] })).reporter.displayName,
    comments: (await jsm.request.getRequestComments({ issueIdOrKey, public: true, internal: false, expand: ['renderedBody'] })).values.map(
      (one) => one.renderedBody.html,
    ),
    attached: answered.attachments.values.map((one) => one.filename),
    kept: kept.properties[0].value.accountId === customer,
    content: await text(await jira.issueAttachments.getAttachmentContent({ id: attachmentId, redirect: false })),
    again: await text(await jsm.request.getAttachmentContent({ issueIdOrKey, attachmentId })),
    limit: (await jira.issueAttachments.getAttachmentMeta()).uploadLimit,
    shared: issue.fields[organizations].map((one) => one.name),
    found: found.issues.map((one) => one.fields.summary),
    added: (await jsm.request.addRequestParticipants({ issueIdOrKey, accountIds: [accountId] })).values.map((one) => one.displayName),
    removed: (await jsm.request.removeRequestParticipants({ issueIdOrKey, accountIds: [accountId] })).size,
    goals: (await jsm.request.getSlaInformation({ issueIdOrKey })).values.map((one) => one.completedCycles.length),
    statuses: (await jsm.request.getCustomerRequestStatus({ issueIdOrKey })).values.map((one) => one.status),
    articles: (await jsm.servicedesk.getServiceDeskArticles({ serviceDeskId, query: 'printer' })).values.map((one) => one.title),
    own: (await jsm.request.getCustomerRequests({})).values.length,
  }),
);
