// What a person does at the window, as functions: they use the commands behind its menus and keys.
// Each returns when the window shows the effect; what the server holds then is for the test to ask.

const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const { FileUtils } = ChromeUtils.importESModule("resource://gre/modules/FileUtils.sys.mjs");
const { setTimeout } = ChromeUtils.importESModule("resource://gre/modules/Timer.sys.mjs");
const POLL_MILLISECONDS = 50;

/** The first value of `look` that is true; the script's time limit ends a wait in vain. */
async function until(look) {
  for (;;) {
    let found;
    try {
      found = await look();
    } catch {} // not there yet
    if (found) {
      return found;
    }
    await new Promise(resolve => setTimeout(resolve, POLL_MILLISECONDS));
  }
}

function mainWindow() {
  return Services.wm.getMostRecentWindow("mail:3pane");
}

function pane() {
  return mainWindow().document.getElementById("tabmail").currentAbout3Pane;
}

function allFolders() {
  return MailServices.accounts.defaultAccount.incomingServer.rootFolder.descendants;
}

/** The name that the server knows; what the window calls it may be translated. */
function pathOf(each) {
  return each.QueryInterface(Ci.nsIMsgImapMailFolder).onlineName;
}

function folder(path) {
  return allFolders().find(each => pathOf(each) == path);
}

function subjectAt(row) {
  return pane().gDBView.getMsgHdrAt(row).mime2DecodedSubject;
}

/** -1 where there is none. */
function rowOf(subject) {
  let row = pane().gDBView.rowCount - 1;
  while (row >= 0 && subjectAt(row) != subject) {
    row -= 1;
  }
  return row;
}

/** The passwords that the first prompt would have asked for. */
async function remember(user, password) {
  for (const origin of ["imap://localhost", "smtp://localhost"]) {
    const login = Cc["@mozilla.org/login-manager/loginInfo;1"].createInstance(Ci.nsILoginInfo);
    login.init(origin, null, origin, user, password, "", "");
    await Services.logins.addLoginAsync(login);
  }
}

/** Open a folder and wait for that many rows; their subjects, as they stand. */
async function openFolder(path, count) {
  await until(() => pane().displayFolder);
  pane().displayFolder((await until(() => folder(path))).URI);
  await until(() => pane().gDBView.msgFolder == folder(path));
  return rows(count);
}

/** Wait for that many rows in the open folder; their subjects, as they stand. */
async function rows(count) {
  await until(() => pane().gDBView.rowCount == count);
  return Array.from({ length: count }, (_, row) => subjectAt(row));
}

/** The paths of the account's folders, once there are so many. */
async function folders(count) {
  await until(() => allFolders().length == count);
  return allFolders().map(pathOf);
}

/** Make a folder at the top. */
async function makeFolder(name) {
  MailServices.accounts.defaultAccount.incomingServer.rootFolder.createSubfolder(name, mainWindow().msgWindow);
  await until(() => allFolders().some(each => each.name == name));
}

async function renameFolder(path, name) {
  folder(path).rename(name, mainWindow().msgWindow);
  await until(() => !folder(path) && allFolders().some(each => each.name == name));
}

/** Delete a folder: it goes below the Trash. */
async function removeFolder(path) {
  folder(path).deleteSelf(mainWindow().msgWindow);
  await until(() => !folder(path));
}

async function emptyTrash() {
  folder("Trash").emptyTrash(null);
}

/** Select a message and wait until it is shown; what the message pane says. */
async function read(subject) {
  await until(() => rowOf(subject) >= 0);
  pane().threadTree.selectedIndex = rowOf(subject);
  const message = pane().messageBrowser.contentWindow;
  await until(() => message.msgLoaded && message.gMessage?.mime2DecodedSubject == subject);
  return message.getMessagePaneBrowser().contentDocument.body.textContent;
}

/** Do what a menu item does to a message. */
async function act(subject, command) {
  await read(subject);
  pane().commandController.doCommand(command);
}

/** Move a message; it leaves the list. */
async function move(subject, path) {
  await read(subject);
  pane().commandController.doCommand("cmd_moveMessage", folder(path));
  await until(() => rowOf(subject) < 0);
}

/** Delete a message: it goes to the account's Trash and leaves the list. */
async function remove(subject) {
  await act(subject, "cmd_deleteMessage");
  await until(() => rowOf(subject) < 0);
}

/** Open a compose window, as "New Message" does. */
async function write({ to, subject, body, file }) {
  const fields = Cc["@mozilla.org/messengercompose/composefields;1"].createInstance(Ci.nsIMsgCompFields);
  Object.assign(fields, { to, subject, body, forcePlainText: true });
  if (file) {
    const attachment = Cc["@mozilla.org/messengercompose/attachment;1"].createInstance(Ci.nsIMsgAttachment);
    const path = new FileUtils.File(file);
    attachment.url = Services.io.newFileURI(path).spec;
    attachment.name = path.leafName;
    fields.addAttachment(attachment);
  }
  const params = Cc["@mozilla.org/messengercompose/composeparams;1"].createInstance(Ci.nsIMsgComposeParams);
  params.composeFields = fields;
  params.format = Ci.nsIMsgCompFormat.PlainText;
  params.type = Ci.nsIMsgCompType.New;
  params.identity = MailServices.accounts.defaultAccount.defaultIdentity;
  MailServices.compose.OpenComposeWindowWithParams(null, params);
  return composeWindow();
}

async function composeWindow() {
  const compose = await until(() => Services.wm.getMostRecentWindow("msgcompose"));
  await until(() => compose.composeEditorReady);
  return compose;
}

/** Send what is in a compose window; it closes when that is sent and a copy filed. */
async function sendNow(compose) {
  await until(() => compose.defaultController.isCommandEnabled("cmd_sendNow")); // there is a recipient
  compose.goDoCommand("cmd_sendNow");
  await until(() => compose.closed);
}

async function send(message) {
  await sendNow(await write(message));
}

async function saveDraft(message) {
  const compose = await write(message);
  compose.goDoCommand("cmd_saveAsDraft");
  await until(() => !compose.gContentChanged && !compose.gSaveOperationInProgress && compose.gMsgCompose.savedFolderURI);
  compose.close();
  await until(() => compose.closed);
}

/** Answer or forward a message by that command, and send it; no word is added but a first recipient. */
async function respond(subject, command, to) {
  await act(subject, command);
  const compose = await composeWindow();
  if (to) {
    compose.addressRowAddRecipientsArray(compose.document.getElementById("addressRowTo"), [to]);
  }
  await sendNow(compose);
}

/** Windows beside the main one: a prompt or a warning that nobody expected. */
async function otherWindows() {
  const windows = [...Services.wm.getEnumerator(null)].filter(each => each != mainWindow());
  return windows.map(each => each.document.documentURI);
}

/** End the program as its menu does. */
async function quit() {
  setTimeout(() => Services.startup.quit(Ci.nsIAppStartup.eAttemptQuit), 0);
}
