// Lets Bolt for JavaScript's own store live through a story, in folders below OUT.
//
//     node .ci/bolt/stores.js STORY.json OUT        (NODE_PATH names the folder with @slack/oauth)

const fs = require('node:fs');
const path = require('node:path');
const { FileInstallationStore } = require('@slack/oauth');

const [storyFile, out] = process.argv.slice(2);
const story = JSON.parse(fs.readFileSync(storyFile, 'utf8'));

const named = (pair) => (pair ? { id: pair[0], name: pair[1] } : undefined);

const installation = (step) => ({
  team: named(step.team),
  enterprise: named(step.enterprise),
  user: { token: step.user_token, scopes: step.user_token ? ['search:read'] : undefined, id: step.user },
  bot: {
    scopes: ['chat:write', 'commands'],
    token: step.token,
    userId: step.bot_user,
    id: step.bot_id,
    ...(step.refresh ? { refreshToken: step.refresh, expiresAt: step.expires_at } : {}),
  },
  ...(step.webhook
    ? {
        incomingWebhook: {
          url: step.webhook.url,
          channel: step.webhook.channel,
          channelId: step.webhook.channel_id,
          configurationUrl: step.webhook.configuration_url,
        },
      }
    : {}),
  tokenType: 'bot',
  isEnterpriseInstall: !step.team,
  appId: 'A0TACK001',
  authVersion: 'v2',
});

const live = async (store) => {
  for (const step of story.steps) {
    if (step.do === 'save') {
      await store.storeInstallation(installation(step));
    } else {
      const query = { enterpriseId: step.enterprise ?? undefined, teamId: step.team, isEnterpriseInstall: false };
      await store.deleteInstallation({ ...query, userId: step.user });
    }
    // Former versions are named by the millisecond.
    await new Promise((done) => setTimeout(done, 2));
  }
};

(async () => {
  await live(new FileInstallationStore({ baseDir: path.join(out, 'js', 'store') }));
  const clientId = story.client_id;
  await live(new FileInstallationStore({ baseDir: path.join(out, 'js-of-a-client'), clientId, historicalDataEnabled: false }));
})();
