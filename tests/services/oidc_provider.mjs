// A certified OpenID Provider (npm oidc-provider) with login and consent pages of its own, for tests.
//
//   node oidc_provider.mjs '{"port": 4000, ...}'
//
// Options: port; claims_in_id_token (true: email and the like stand in the ID token, as most real providers
// do; false: only in userinfo, as the specification has it); iss_in_answer (RFC 9207); auth_methods; ttl
// (seconds by token name); refresh_tokens (true: each client that has the grant gets one, and a new one at each
// use); client_credentials (true: that grant is known, with the scope "api"). Clients and accounts come by POST
// /test/clients and /test/accounts, so that one process serves many tests. It says "listening on ISSUER" when it can be asked.
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const options = {
  claims_in_id_token: true,
  iss_in_answer: true,
  auth_methods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
  ttl: {},
  refresh_tokens: false,
  client_credentials: false,
  ...JSON.parse(process.argv[2] ?? '{}'),
};
const issuer = `http://127.0.0.1:${options.port}`;
const accounts = new Map();
const clients = new Map();

const claimsOf = {
  openid: ['sub'],
  email: ['email', 'email_verified'],
  profile: ['name', 'given_name', 'family_name', 'preferred_username'],
  groups: ['groups', 'hasgroups'], // the second is Entra's, where somebody is in too many
};

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const signingKey = { ...privateKey.export({ format: 'jwk' }), alg: 'RS256', use: 'sig', kid: randomBytes(8).toString('hex') };

// oidc-provider keeps everything through an adapter; clients are looked up in ours, the rest lives in memory.
class Memory {
  static kept = new Map();

  constructor(kind) {
    this.kind = kind;
  }

  key(id) {
    return `${this.kind}:${id}`;
  }

  async find(id) {
    if (this.kind === 'Client') return clients.get(id);
    const entry = Memory.kept.get(this.key(id));
    return entry && entry.until > Date.now() ? entry.payload : undefined;
  }

  async upsert(id, payload, expiresIn) {
    Memory.kept.set(this.key(id), { payload, until: expiresIn ? Date.now() + expiresIn * 1000 : Infinity });
  }

  async #first(fits) {
    for (const [key, entry] of Memory.kept) {
      if (key.startsWith(`${this.kind}:`) && fits(entry.payload)) return entry.payload;
    }
    return undefined;
  }

  findByUid(uid) {
    return this.#first((payload) => payload.uid === uid);
  }

  findByUserCode(userCode) {
    return this.#first((payload) => payload.userCode === userCode);
  }

  async consume(id) {
    (await this.find(id)).consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id) {
    Memory.kept.delete(this.key(id));
  }

  async revokeByGrantId(grantId) {
    for (const [key, entry] of Memory.kept) {
      if (entry.payload.grantId === grantId) Memory.kept.delete(key);
    }
  }
}

const escape = (text) => String(text ?? '').replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
const page = (title, body) => `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${escape(title)}</title></head>
<body><main><h1>${escape(title)}</h1>${body}</main></body></html>`;

const provider = new Provider(issuer, {
  adapter: Memory,
  jwks: { keys: [signingKey] },
  claims: claimsOf,
  // Without its own dispatcher, which never connects to loopback addresses, where our applications are.
  fetch: (url, { dispatcher, ...request }) => globalThis.fetch(url, request),
  scopes: ['openid', 'email', 'profile', 'groups', 'offline_access', ...(options.client_credentials ? ['api'] : [])],
  conformIdTokenClaims: !options.claims_in_id_token,
  clientAuthMethods: options.auth_methods,
  cookies: { keys: [randomBytes(16).toString('hex')] },
  features: {
    backchannelLogout: { enabled: true }, // for clients that name a backchannel_logout_uri
    clientCredentials: { enabled: options.client_credentials },
    devInteractions: { enabled: false },
    revocation: { enabled: true },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: (ctx, form) => {
        ctx.body = page('Sign out?', `${form}<button form="op.logoutForm" name="logout" value="yes">Yes, sign me out</button>`);
      },
      postLogoutSuccessSource: (ctx) => {
        ctx.body = page('Signed out', '<p>You are signed out of the provider.</p>');
      },
    },
  },
  findAccount: (ctx, sub) => {
    const account = [...accounts.values()].find((candidate) => candidate.sub === sub);
    if (!account) return undefined;
    const { password, ...claims } = account;
    return { accountId: sub, claims: async () => claims };
  },
  ...(options.refresh_tokens && {
    issueRefreshToken: (ctx, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: true,
  }),
  interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
  pkce: { required: () => false },
  renderError: (ctx, out) => {
    ctx.type = 'html';
    ctx.body = page('Error', `<p id="error">${escape(out.error)}: ${escape(out.error_description)}</p>`);
  },
  ttl: { AccessToken: 3600, AuthorizationCode: 60, IdToken: 3600, Interaction: 3600, Grant: 1209600, Session: 1209600, ...options.ttl },
});

if (!options.iss_in_answer) {
  // The provider always sends it; taking it out again is how the many providers behave that do not know RFC 9207.
  provider.use(async (ctx, next) => {
    await next();
    if (ctx.path === '/.well-known/openid-configuration') delete ctx.body.authorization_response_iss_parameter_supported;
    const location = ctx.response.get('Location');
    if (!location || location.startsWith('/') || location.startsWith(issuer)) return;
    const target = new URL(location);
    target.searchParams.delete('iss');
    ctx.set('Location', target.href);
  });
}

provider.on('backchannel.error', (ctx, error, client) => console.error(`back channel of ${client.clientId}: ${error}`));

const loginPage = (uid, complaint, hint) => page('Sign in', `
${complaint ? `<p role="alert">${escape(complaint)}</p>` : ''}
<form method="post" action="/interaction/${uid}/login" autocomplete="off">
<label>Email <input name="email" type="email" value="${escape(hint)}" required autofocus></label>
<label>Password <input name="password" type="password" required></label>
<button type="submit">Sign in</button>
</form>
<form method="post" action="/interaction/${uid}/cancel"><button type="submit">Cancel</button></form>`);

const consentPage = (uid, clientId, scopes) => page('Let it know who you are?', `
<p>${escape(clientId)} asks for: ${escape(scopes)}</p>
<form method="post" action="/interaction/${uid}/consent"><button type="submit" autofocus>Continue</button></form>
<form method="post" action="/interaction/${uid}/cancel"><button type="submit">Cancel</button></form>`);

async function interact(request, response, uid, step) {
  const details = await provider.interactionDetails(request, response);
  const { params, prompt, session } = details;
  const html = (body) => response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store' }).end(body);
  const finish = (result) => provider.interactionFinished(request, response, result, { mergeWithLastSubmission: step !== 'login' });
  if (request.method === 'GET') {
    return html(prompt.name === 'login' ? loginPage(uid, '', params.login_hint) : consentPage(uid, params.client_id, params.scope));
  }
  if (step === 'cancel') return finish({ error: 'access_denied', error_description: 'End-User aborted interaction' });
  if (step === 'login') {
    const form = new URLSearchParams(await bodyOf(request));
    const account = accounts.get(form.get('email'));
    if (!account || account.password !== form.get('password')) return html(loginPage(uid, 'Wrong email or password.', form.get('email')));
    return finish({ login: { accountId: account.sub } });
  }
  const grant = details.grantId
    ? await provider.Grant.find(details.grantId)
    : new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  if (prompt.details.missingOIDCScope) grant.addOIDCScope(prompt.details.missingOIDCScope.join(' '));
  if (prompt.details.missingOIDCClaims) grant.addOIDCClaims(prompt.details.missingOIDCClaims);
  return finish({ consent: { grantId: await grant.save() } });
}

async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

async function remember(request, response, kind) {
  const entry = JSON.parse(await bodyOf(request));
  if (kind === 'clients') clients.set(entry.client_id, entry);
  else accounts.set(entry.email, { sub: createHash('sha256').update(entry.email).digest('hex').slice(0, 24), ...entry });
  response.writeHead(201, { 'Content-Type': 'application/json' }).end(JSON.stringify(kind === 'clients' ? entry : accounts.get(entry.email)));
}

const answer = provider.callback();
createServer((request, response) => {
  const [, first, second, step] = request.url.split('?')[0].split('/');
  const failed = (error) => response.writeHead(500, { 'Content-Type': 'text/plain' }).end(String(error?.stack ?? error));
  if (first === 'interaction') interact(request, response, second, step).catch(failed);
  else if (first === 'test' && request.method === 'POST') remember(request, response, second).catch(failed);
  else answer(request, response);
}).listen(options.port, '127.0.0.1', () => console.log(`listening on ${issuer}`));

process.stdin.resume().on('end', () => process.exit(0)); // the end of whoever started it
