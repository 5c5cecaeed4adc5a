#!/bin/bash
# PID 1 of the guest: mounts, loads the camera's driver, does what the folder of this boot says, and powers off.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 TERM=dumb
for place in 'proc /proc' 'sysfs /sys' 'devtmpfs /dev'; do
  set -- $place
  mountpoint -q "$2" || mount -t "$1" none "$2"
done
mount -o remount,rw /
mount -t tmpfs -o mode=755 none /run
mount -t tmpfs -o mode=1777 none /tmp
mkdir -p /dev/pts /dev/shm /run/user/0 /run/boot
mount -t devpts none /dev/pts
mount -t tmpfs -o mode=1777 none /dev/shm
ln -sfn /proc/self/fd /dev/fd
chmod 700 /run/user/0
export XDG_RUNTIME_DIR=/run/user/0
ip link set lo up
hostname guest
mount -t hostfs none /run/boot -o "$BOOT"

# Folders of the host, at the paths they have there.
while read -r access folder; do
  mkdir -p "$folder"
  mount -t hostfs -o "$access" -o "$folder" none "$folder" || echo "cannot mount $folder"
done < /run/boot/folders

for module in /camera/*.ko; do
  case $module in
    *v4l2loopback*) insmod "$module" devices=1 video_nr=0 exclusive_caps=1 'card_label="OBS Virtual Camera"' ;;
    *) insmod "$module" ;;
  esac
done
rm -f /etc/machine-id
dbus-uuidgen --ensure=/etc/machine-id
cd "$(cat /run/boot/cwd)" || exit
setsid bash /run/boot/command </dev/null 2>&1 | tee /run/boot/output
echo "${PIPESTATUS[0]}" > /run/boot/status
sync
echo 1 > /proc/sys/kernel/sysrq
echo o > /proc/sysrq-trigger
sleep 30
