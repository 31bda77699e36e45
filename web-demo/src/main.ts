/** Entry point: shows the page that the address asks for. */

import { keepPageForOffline } from './page-keeper';
import { showDocumentPage } from './pages/document-page';
import { showNotFoundPage } from './pages/not-found-page';
import { showStartPage } from './pages/start-page';
import { readRoute } from './routes';

const root = document.getElementById('page');
if (root === null) throw new Error('index.html has no element #page');

const route = readRoute(location.pathname);
switch (route.page) {
  case 'start':
    showStartPage(root);
    break;
  case 'document':
    showDocumentPage(root, route.name);
    break;
  case 'not-found':
    showNotFoundPage(root, route.problem);
    break;
}

keepPageForOffline();
