# Made by scripts/generate-docs.ts from the tables in src/cli: change those.
# Whether one of these words stands before the one to be completed.
_s3ql_given() {
  local given choice
  for given in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do for choice; do [[ $given == "$choice" ]] && return; done; done
  return 1
}
_s3ql_command() {
  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
  case $1 in
    mkfs)
      case $previous in
        -L|--label) COMPREPLY=(); return ;;
        --data-block-size) COMPREPLY=(); return ;;
        --metadata-block-size) COMPREPLY=(); return ;;
        --authfile) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --cachedir) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
        --backend-options) COMPREPLY=(); return ;;
        --max-connections) COMPREPLY=(); return ;;
        --max-threads) COMPREPLY=(); return ;;
        --upload-limit) COMPREPLY=(); return ;;
        --download-limit) COMPREPLY=(); return ;;
        --debug-modules) COMPREPLY=(); return ;;
      esac
      if [[ $word == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--label --data-block-size --metadata-block-size --plain --authfile --cachedir --backend-options --max-connections --max-threads --upload-limit --download-limit --debug --debug-modules --quiet --json --version --help" -- "$word")
      else mapfile -t COMPREPLY < <(compgen -f -- "$word"); fi ;;
    mount)
      case $previous in
        --compress) mapfile -t COMPREPLY < <(compgen -W "lzma-6 bzip2-6 zlib-6 none" -- "$word"); return ;;
        --cachesize) COMPREPLY=(); return ;;
        --max-cache-entries) COMPREPLY=(); return ;;
        --dirty-block-upload-delay) COMPREPLY=(); return ;;
        --fs-name) COMPREPLY=(); return ;;
        --metadata-backup-interval) COMPREPLY=(); return ;;
        --fsync) mapfile -t COMPREPLY < <(compgen -W "local remote" -- "$word"); return ;;
        --read-timeout) COMPREPLY=(); return ;;
        --store-timeout) COMPREPLY=(); return ;;
        --full-cache) mapfile -t COMPREPLY < <(compgen -W "wait fail" -- "$word"); return ;;
        -o) COMPREPLY=(); return ;;
        --authfile) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --cachedir) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
        --backend-options) COMPREPLY=(); return ;;
        --max-connections) COMPREPLY=(); return ;;
        --max-threads) COMPREPLY=(); return ;;
        --upload-limit) COMPREPLY=(); return ;;
        --download-limit) COMPREPLY=(); return ;;
        --log) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --debug-modules) COMPREPLY=(); return ;;
      esac
      if [[ $word == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--compress --cachesize --max-cache-entries --keep-cache --allow-other --allow-root --dirty-block-upload-delay --fg --fs-name --systemd --metadata-backup-interval --fsync --read-timeout --store-timeout --full-cache --take-over --nfs --authfile --cachedir --backend-options --max-connections --max-threads --upload-limit --download-limit --log --debug --debug-modules --quiet --json --version --help" -- "$word")
      else mapfile -t COMPREPLY < <(compgen -f -- "$word"); fi ;;
    umount)
      case $previous in
        --log) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --debug-modules) COMPREPLY=(); return ;;
      esac
      if [[ $word == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--lazy --log --debug --debug-modules --quiet --json --version --help" -- "$word")
      else mapfile -t COMPREPLY < <(compgen -f -- "$word"); fi ;;
    stat)
      case $previous in
        --log) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --debug-modules) COMPREPLY=(); return ;;
      esac
      if [[ $word == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--raw --log --debug --debug-modules --quiet --json --version --help" -- "$word")
      else mapfile -t COMPREPLY < <(compgen -f -- "$word"); fi ;;
    fsck)
      case $previous in
        --authfile) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --cachedir) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
        --backend-options) COMPREPLY=(); return ;;
        --max-connections) COMPREPLY=(); return ;;
        --max-threads) COMPREPLY=(); return ;;
        --upload-limit) COMPREPLY=(); return ;;
        --download-limit) COMPREPLY=(); return ;;
        --log) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --debug-modules) COMPREPLY=(); return ;;
      esac
      if [[ $word == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--keep-cache --batch --force --force-remote --fast --delete-orphans --authfile --cachedir --backend-options --max-connections --max-threads --upload-limit --download-limit --log --debug --debug-modules --quiet --json --version --help" -- "$word")
      else mapfile -t COMPREPLY < <(compgen -f -- "$word"); fi ;;
    verify)
      case $previous in
        --missing-file) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --corrupted-file) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --start-with) COMPREPLY=(); return ;;
        --sample) COMPREPLY=(); return ;;
        --authfile) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --cachedir) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
        --backend-options) COMPREPLY=(); return ;;
        --max-connections) COMPREPLY=(); return ;;
        --max-threads) COMPREPLY=(); return ;;
        --upload-limit) COMPREPLY=(); return ;;
        --download-limit) COMPREPLY=(); return ;;
        --log) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --debug-modules) COMPREPLY=(); return ;;
      esac
      if [[ $word == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--data --repair --missing-file --corrupted-file --start-with --sample --authfile --cachedir --backend-options --max-connections --max-threads --upload-limit --download-limit --log --debug --debug-modules --quiet --json --version --help" -- "$word")
      else mapfile -t COMPREPLY < <(compgen -f -- "$word"); fi ;;
    check-store)
      case $previous in
        --authfile) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --backend-options) COMPREPLY=(); return ;;
        --max-connections) COMPREPLY=(); return ;;
        --log) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --debug-modules) COMPREPLY=(); return ;;
      esac
      if [[ $word == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--authfile --backend-options --max-connections --log --debug --debug-modules --quiet --json --version --help" -- "$word")
      else mapfile -t COMPREPLY < <(compgen -f -- "$word"); fi ;;
    adm)
      case $previous in
        --generation) COMPREPLY=(); return ;;
        --to) COMPREPLY=(); return ;;
        --authfile) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --cachedir) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
        --backend-options) COMPREPLY=(); return ;;
        --max-connections) COMPREPLY=(); return ;;
        --max-threads) COMPREPLY=(); return ;;
        --upload-limit) COMPREPLY=(); return ;;
        --download-limit) COMPREPLY=(); return ;;
        --debug-modules) COMPREPLY=(); return ;;
      esac
      if [[ $word == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--generation --to --take-over --authfile --cachedir --backend-options --max-connections --max-threads --upload-limit --download-limit --debug --debug-modules --quiet --json --version --help" -- "$word")
      elif ! _s3ql_given passphrase recover-key clear shrink-db upgrade restore-metadata info clone; then mapfile -t COMPREPLY < <(compgen -W "passphrase recover-key clear shrink-db upgrade restore-metadata info clone" -- "$word")
      else mapfile -t COMPREPLY < <(compgen -f -- "$word"); fi ;;
    cp)
      case $previous in
        --log) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --debug-modules) COMPREPLY=(); return ;;
      esac
      if [[ $word == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--log --debug --debug-modules --quiet --json --version --help" -- "$word")
      else mapfile -t COMPREPLY < <(compgen -f -- "$word"); fi ;;
    lock)
      case $previous in
        --log) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --debug-modules) COMPREPLY=(); return ;;
      esac
      if [[ $word == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--log --debug --debug-modules --quiet --json --version --help" -- "$word")
      else mapfile -t COMPREPLY < <(compgen -f -- "$word"); fi ;;
    rm)
      case $previous in
        --log) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --debug-modules) COMPREPLY=(); return ;;
      esac
      if [[ $word == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--log --debug --debug-modules --quiet --json --version --help" -- "$word")
      else mapfile -t COMPREPLY < <(compgen -f -- "$word"); fi ;;
    ctrl)
      case $previous in
        --log) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --debug-modules) COMPREPLY=(); return ;;
      esac
      if [[ $word == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--log --debug --debug-modules --quiet --json --version --help" -- "$word")
      elif ! _s3ql_given flushcache dropcache backup-metadata cachesize upload-limit download-limit log; then mapfile -t COMPREPLY < <(compgen -W "flushcache dropcache backup-metadata cachesize upload-limit download-limit log" -- "$word")
      else mapfile -t COMPREPLY < <(compgen -f -- "$word"); fi ;;
    backup)
      case $previous in
        --exclude) COMPREPLY=(); return ;;
        --exclude-from) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --rsync-option) COMPREPLY=(); return ;;
        --expire) COMPREPLY=(); return ;;
        --keep-last) COMPREPLY=(); return ;;
        --keep-daily) COMPREPLY=(); return ;;
        --keep-weekly) COMPREPLY=(); return ;;
        --keep-monthly) COMPREPLY=(); return ;;
        --keep-yearly) COMPREPLY=(); return ;;
        --log) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --debug-modules) COMPREPLY=(); return ;;
      esac
      if [[ $word == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--exclude --exclude-from --rsync-option --cross-file-systems --writable --keep-going --expire --keep-last --keep-daily --keep-weekly --keep-monthly --keep-yearly --log --debug --debug-modules --quiet --json --version --help" -- "$word")
      else mapfile -t COMPREPLY < <(compgen -f -- "$word"); fi ;;
    expire)
      case $previous in
        --keep-last) COMPREPLY=(); return ;;
        --keep-daily) COMPREPLY=(); return ;;
        --keep-weekly) COMPREPLY=(); return ;;
        --keep-monthly) COMPREPLY=(); return ;;
        --keep-yearly) COMPREPLY=(); return ;;
        --directory) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
        --state) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        -p|--proportion-delete) COMPREPLY=(); return ;;
        --log) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --debug-modules) COMPREPLY=(); return ;;
      esac
      if [[ $word == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--keep-last --keep-daily --keep-weekly --keep-monthly --keep-yearly --directory --state --dry-run --proportion-delete --reconstruct-state --use-s3qlrm --log --debug --debug-modules --quiet --json --version --help" -- "$word")
      else mapfile -t COMPREPLY < <(compgen -f -- "$word"); fi ;;
    oauth-client)
      case $previous in
        --oauth-client) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --log) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --debug-modules) COMPREPLY=(); return ;;
      esac
      if [[ $word == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--oauth-client --no-browser --log --debug --debug-modules --quiet --json --version --help" -- "$word")
      else mapfile -t COMPREPLY < <(compgen -f -- "$word"); fi ;;
    ls)
      case $previous in
        --storage-url) COMPREPLY=(); return ;;
        --set-aside) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
        --authfile) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --cachedir) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
        --backend-options) COMPREPLY=(); return ;;
        --max-connections) COMPREPLY=(); return ;;
        --max-threads) COMPREPLY=(); return ;;
        --upload-limit) COMPREPLY=(); return ;;
        --download-limit) COMPREPLY=(); return ;;
        --log) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --debug-modules) COMPREPLY=(); return ;;
      esac
      if [[ $word == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--long --all --recursive --directory --storage-url --set-aside --authfile --cachedir --backend-options --max-connections --max-threads --upload-limit --download-limit --log --debug --debug-modules --quiet --json --version --help" -- "$word")
      else mapfile -t COMPREPLY < <(compgen -f -- "$word"); fi ;;
    cat)
      case $previous in
        --offset) COMPREPLY=(); return ;;
        --length) COMPREPLY=(); return ;;
        --storage-url) COMPREPLY=(); return ;;
        --set-aside) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
        --authfile) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --cachedir) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
        --backend-options) COMPREPLY=(); return ;;
        --max-connections) COMPREPLY=(); return ;;
        --max-threads) COMPREPLY=(); return ;;
        --upload-limit) COMPREPLY=(); return ;;
        --download-limit) COMPREPLY=(); return ;;
        --log) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --debug-modules) COMPREPLY=(); return ;;
      esac
      if [[ $word == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--offset --length --storage-url --set-aside --authfile --cachedir --backend-options --max-connections --max-threads --upload-limit --download-limit --log --debug --debug-modules --quiet --json --version --help" -- "$word")
      else mapfile -t COMPREPLY < <(compgen -f -- "$word"); fi ;;
    get)
      case $previous in
        --storage-url) COMPREPLY=(); return ;;
        --set-aside) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
        --authfile) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --cachedir) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
        --backend-options) COMPREPLY=(); return ;;
        --max-connections) COMPREPLY=(); return ;;
        --max-threads) COMPREPLY=(); return ;;
        --upload-limit) COMPREPLY=(); return ;;
        --download-limit) COMPREPLY=(); return ;;
        --log) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --debug-modules) COMPREPLY=(); return ;;
      esac
      if [[ $word == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--storage-url --set-aside --authfile --cachedir --backend-options --max-connections --max-threads --upload-limit --download-limit --log --debug --debug-modules --quiet --json --version --help" -- "$word")
      else mapfile -t COMPREPLY < <(compgen -f -- "$word"); fi ;;
    put)
      case $previous in
        --compress) mapfile -t COMPREPLY < <(compgen -W "lzma-6 bzip2-6 zlib-6 none" -- "$word"); return ;;
        --storage-url) COMPREPLY=(); return ;;
        --authfile) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --cachedir) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
        --backend-options) COMPREPLY=(); return ;;
        --max-connections) COMPREPLY=(); return ;;
        --max-threads) COMPREPLY=(); return ;;
        --upload-limit) COMPREPLY=(); return ;;
        --download-limit) COMPREPLY=(); return ;;
        --log) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --debug-modules) COMPREPLY=(); return ;;
      esac
      if [[ $word == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--compress --storage-url --authfile --cachedir --backend-options --max-connections --max-threads --upload-limit --download-limit --log --debug --debug-modules --quiet --json --version --help" -- "$word")
      else mapfile -t COMPREPLY < <(compgen -f -- "$word"); fi ;;
    find)
      case $previous in
        --name) COMPREPLY=(); return ;;
        --iname) COMPREPLY=(); return ;;
        --type) mapfile -t COMPREPLY < <(compgen -W "f d l p s b c" -- "$word"); return ;;
        --size) COMPREPLY=(); return ;;
        --newer) COMPREPLY=(); return ;;
        --older) COMPREPLY=(); return ;;
        --maxdepth) COMPREPLY=(); return ;;
        --storage-url) COMPREPLY=(); return ;;
        --set-aside) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
        --authfile) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --cachedir) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
        --backend-options) COMPREPLY=(); return ;;
        --max-connections) COMPREPLY=(); return ;;
        --max-threads) COMPREPLY=(); return ;;
        --upload-limit) COMPREPLY=(); return ;;
        --download-limit) COMPREPLY=(); return ;;
        --log) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --debug-modules) COMPREPLY=(); return ;;
      esac
      if [[ $word == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--name --iname --type --size --newer --older --maxdepth --print0 --storage-url --set-aside --authfile --cachedir --backend-options --max-connections --max-threads --upload-limit --download-limit --log --debug --debug-modules --quiet --json --version --help" -- "$word")
      else mapfile -t COMPREPLY < <(compgen -f -- "$word"); fi ;;
    du)
      case $previous in
        --max-depth) COMPREPLY=(); return ;;
        --storage-url) COMPREPLY=(); return ;;
        --set-aside) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
        --authfile) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --cachedir) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
        --backend-options) COMPREPLY=(); return ;;
        --max-connections) COMPREPLY=(); return ;;
        --max-threads) COMPREPLY=(); return ;;
        --upload-limit) COMPREPLY=(); return ;;
        --download-limit) COMPREPLY=(); return ;;
        --log) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --debug-modules) COMPREPLY=(); return ;;
      esac
      if [[ $word == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--max-depth --raw --storage-url --set-aside --authfile --cachedir --backend-options --max-connections --max-threads --upload-limit --download-limit --log --debug --debug-modules --quiet --json --version --help" -- "$word")
      else mapfile -t COMPREPLY < <(compgen -f -- "$word"); fi ;;
    pcp)
      case $previous in
        --processes) COMPREPLY=(); return ;;
        --log) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --debug-modules) COMPREPLY=(); return ;;
      esac
      if [[ $word == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--archive --processes --log --debug --debug-modules --quiet --json --version --help" -- "$word")
      else mapfile -t COMPREPLY < <(compgen -f -- "$word"); fi ;;
    benchmark)
      case $previous in
        --time) COMPREPLY=(); return ;;
        --authfile) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --cachedir) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
        --backend-options) COMPREPLY=(); return ;;
        --max-connections) COMPREPLY=(); return ;;
        --max-threads) COMPREPLY=(); return ;;
        --upload-limit) COMPREPLY=(); return ;;
        --download-limit) COMPREPLY=(); return ;;
        --log) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --debug-modules) COMPREPLY=(); return ;;
      esac
      if [[ $word == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--time --authfile --cachedir --backend-options --max-connections --max-threads --upload-limit --download-limit --log --debug --debug-modules --quiet --json --version --help" -- "$word")
      else mapfile -t COMPREPLY < <(compgen -f -- "$word"); fi ;;
    remove-objects)
      case $previous in
        --authfile) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --cachedir) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
        --backend-options) COMPREPLY=(); return ;;
        --max-connections) COMPREPLY=(); return ;;
        --max-threads) COMPREPLY=(); return ;;
        --upload-limit) COMPREPLY=(); return ;;
        --download-limit) COMPREPLY=(); return ;;
        --log) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --debug-modules) COMPREPLY=(); return ;;
      esac
      if [[ $word == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--dry-run --batch --authfile --cachedir --backend-options --max-connections --max-threads --upload-limit --download-limit --log --debug --debug-modules --quiet --json --version --help" -- "$word")
      else mapfile -t COMPREPLY < <(compgen -f -- "$word"); fi ;;
  esac
}
_s3ql() {
  compopt -o filenames 2>/dev/null
  case ${COMP_WORDS[0]##*/} in
    mkfs.s3ql) _s3ql_command mkfs ;;
    mount.s3ql) _s3ql_command mount ;;
    umount.s3ql) _s3ql_command umount ;;
    s3qlstat) _s3ql_command stat ;;
    fsck.s3ql) _s3ql_command fsck ;;
    s3ql_verify) _s3ql_command verify ;;
    s3qladm) _s3ql_command adm ;;
    s3qlcp) _s3ql_command cp ;;
    s3qllock) _s3ql_command lock ;;
    s3qlrm) _s3ql_command rm ;;
    s3qlctrl) _s3ql_command ctrl ;;
    s3ql_oauth_client) _s3ql_command oauth-client ;;
    *)
      local word=${COMP_WORDS[COMP_CWORD]}
      if ((COMP_CWORD == 1)); then mapfile -t COMPREPLY < <(compgen -W "mkfs mount umount stat fsck verify check-store adm cp lock rm ctrl backup expire oauth-client ls cat get put find du pcp benchmark remove-objects --help --version" -- "$word")
      else _s3ql_command "${COMP_WORDS[1]}"; fi ;;
  esac
}
complete -F _s3ql s3ql mkfs.s3ql mount.s3ql umount.s3ql s3qlstat fsck.s3ql s3ql_verify s3qladm s3qlcp s3qllock s3qlrm s3qlctrl s3ql_oauth_client
